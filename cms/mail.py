"""From Django templates through MJML to the HTML and text of a mail.

A mail is three files, ``templates/emails/<name>.subject.txt``, ``.txt`` and ``.mjml``. They see the context they are
given plus ``sender`` (a :class:`MailBrand`) and ``base_url``. Values of one person are markers
(``{{ slots.name }}``), filled in long after compiling.

Text that people wrote never goes through MJML as markup: mrml would take tags in it for its own and ends the process
on deep nesting. ``{% mail_html %}`` leaves a marker in the source and the cleaned HTML takes its place afterwards.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mjml
import nh3
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape

from accounts.colors import Palette, palette
from accounts.models import Brand, Organization
from cms import theme

LOGO_BOX = (180, 52)  # px in the mail; the stored logo has at least twice as many
TEXT_STYLES = {
    "p": "margin:0 0 16px;",
    "ul": "margin:0 0 16px;padding-left:22px;",
    "ol": "margin:0 0 16px;padding-left:22px;",
    "li": "margin:0 0 6px;",
    "h3": "margin:24px 0 8px;font-size:18px;line-height:25px;font-weight:600;",
    "h4": "margin:20px 0 6px;font-size:16px;line-height:24px;font-weight:600;",
}
TEXT_TAGS = {*TEXT_STYLES, "a", "b", "strong", "i", "em", "br"}


class BadTemplate(Exception):
    """A mail template that MJML cannot read; the text names the template."""


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready to be sent or compiled; HTML and text may still hold markers of personal values."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class MailBrand:
    """The sender as mail templates need it; every address is absolute and every color readable."""

    organization: Organization
    base_url: str

    @cached_property
    def brand(self) -> Brand:
        """The stored brand, or a neutral one that is not saved."""
        return getattr(self.organization, "brand", None) or Brand(organization=self.organization)

    @property
    def name(self) -> str:
        """What the mail calls the sender."""
        return self.brand.name

    @cached_property
    def colors(self) -> Palette:
        """Accent, text on it, and the accent as ink."""
        return palette(self.brand.color)

    @property
    def logo_url(self) -> str:
        """Absolute address of the logo; empty when there is none, then the name stands in its place."""
        path = theme.logo_url(self.brand)
        return f"{self.base_url}{path}" if path else ""

    @cached_property
    def logo_width(self) -> int:
        """Pixels, scaled into the box; small logos are not blown up."""
        width, height = self.brand.logo_width or 1, self.brand.logo_height or 1
        return max(1, round(width * min(LOGO_BOX[0] / width, LOGO_BOX[1] / height, 1)))

    @property
    def postal_lines(self) -> str:
        """The postal address on one line."""
        return " · ".join(line.strip() for line in self.brand.postal_address.splitlines() if line.strip())


class _Holes:
    """HTML that waits outside MJML, by marker."""

    def __init__(self) -> None:
        self._nonce = secrets.token_hex(6)
        self._html: list[str] = []

    def put(self, html: str) -> str:
        """Keep ``html`` (already clean) and return the marker that stands for it."""
        self._html.append(html)
        return f"zh{self._nonce}x{len(self._html) - 1}xhz"

    def fill(self, html: str) -> str:
        """Put everything kept back in its place."""
        return re.sub(rf"zh{self._nonce}x(\d+)xhz", lambda match: self._html[int(match[1])], html)


def mail_rich_text(html: str, *, ink: str, base_url: str) -> str:
    """Rich text cleaned by allow-list, with the inline styles mail programs need; relative links become absolute."""
    styles: dict[str, Mapping[str, str]] = {tag: {"style": style} for tag, style in TEXT_STYLES.items()}
    styles["a"] = {"style": f"color:{ink};text-decoration:underline;", "target": "_blank"}
    absolute = re.sub(r'(<a\b[^>]*\shref=")/(?!/)', lambda match: f"{match[1]}{base_url}/", html)
    return nh3.clean(
        absolute,
        tags=TEXT_TAGS,
        attributes={"a": {"href", "style", "target"}, **{tag: {"style"} for tag in TEXT_STYLES}},
        set_tag_attribute_values={tag: dict(values) for tag, values in styles.items()},
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel="noopener",
    )


def render_html(template_name: str, context: Mapping[str, Any]) -> str:
    """The HTML of one ``.mjml`` template. Raises BadTemplate where MJML does not understand it."""
    holes = _Holes()
    source = render_to_string(template_name, _with_sender(context, holes))
    try:
        html = mjml.mjml2html(source, disable_comments=True, fonts={})
    except ValueError as error:
        raise BadTemplate(f"{template_name}: {error}") from error
    return holes.fill(html)


def render(name: str, context: Mapping[str, Any], *, language: str = "") -> RenderedMail:
    """Subject, HTML and text of ``emails/<name>`` in ``language`` (empty: the active one)."""
    with translation.override(language or translation.get_language()):
        full = _with_sender(context, None)
        return RenderedMail(
            subject=" ".join(render_to_string(f"emails/{name}.subject.txt", full).split()),
            html=render_html(f"emails/{name}.mjml", context),
            text=_tidy(render_to_string(f"emails/{name}.txt", full)),
        )


def _with_sender(context: Mapping[str, Any], holes: _Holes | None) -> dict[str, Any]:
    """The context of a template: what was given, the sender, and the store of held-back HTML."""
    full = {**context, "holes": holes}
    if full.get("organization") and "sender" not in full:
        full["sender"] = MailBrand(full["organization"], full.get("base_url", ""))
    if "vendor_name" not in full:
        full["vendor_name"] = Organization.objects.filter(kind="vendor").values_list("name", flat=True).first() or ""
    return full


def _tidy(text: str) -> str:
    """No trailing spaces, never more than one empty line, one line feed at the end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def escape_lines(text: str) -> str:
    """Plain text as HTML: escaped, line ends kept."""
    return "<br>".join(escape(line) for line in text.splitlines())
