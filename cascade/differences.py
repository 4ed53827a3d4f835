"""Two texts compared by words, for people who decide between them."""

from __future__ import annotations

import difflib
import re

from django.utils.html import format_html_join
from django.utils.safestring import SafeString


def marked(before: str, after: str) -> SafeString:
    """``after`` as HTML with what went struck (``<del>``) and what came marked (``<ins>``); both texts are escaped."""
    old, new = re.findall(r"\s+|[^\s]+", before), re.findall(r"\s+|[^\s]+", after)
    parts: list[tuple[SafeString, str, SafeString]] = []
    plain = SafeString("")
    for change, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if change == "equal":
            parts.append((plain, "".join(new[c:d]), plain))
            continue
        if gone := "".join(old[a:b]):
            parts.append((SafeString("<del>"), gone, SafeString("</del>")))
        if came := "".join(new[c:d]):
            parts.append((SafeString("<ins>"), came, SafeString("</ins>")))
    return format_html_join("", "{}{}{}", parts)
