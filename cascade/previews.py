"""An item as one reader would get it, before anything is sent: mail, web page or written text."""

from __future__ import annotations

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils import translation

from cascade import compose
from cascade.enums import Goal, WaveKind
from cascade.interfaces import CascadablePage
from cascade.models import Hop
from cms.effective import EffectivePage

# Links of a preview would leave its frame; a new window is what its sandbox does not allow, so they do nothing.
_INERT = '<base target="_blank">'


@dataclass(frozen=True)
class PreviewReader:
    """Whose mail it is."""

    name: str
    company: str
    email: str


def preview_document(hop: Hop, shown: EffectivePage, view: str, reader: PreviewReader) -> str:
    """A whole HTML document that shows ``shown`` as ``view``: mail, web or text. The mail is the one that is sent."""
    language = shown.locale.language_code
    if view == "web":
        return _web(hop, shown, language)
    values = dict.fromkeys((str(purpose) for purpose in compose.PURPOSES), "preview")
    values |= {"name": reader.name, "company": reader.company, "email": reader.email, "hop": str(hop.pk)}
    mail = compose.write(hop, language, kind=WaveKind.INITIAL, base_url="", slots=values)  # type: ignore[arg-type]
    if view == "text":
        context = {"subject": mail.subject, "text": mail.text}
        return render_to_string("cascade/workspace/preview_text.html", context)
    return _in_inbox(mail.html.replace("<head>", f"<head>{_INERT}", 1), hop, shown, mail.subject)


def _in_inbox(html: str, hop: Hop, shown: EffectivePage, subject: str) -> str:
    """``html`` below the line by which the mail is seen first: sender, subject and preview text."""
    kept = compose.sender_headers(hop, WaveKind.INITIAL)
    words = shown.preview_text or shown.summary
    line = render_to_string(
        "emails/preview_inbox.html", {"sender": kept["from_name"], "subject": subject, "words": words}
    )
    before, body, after = html.partition("<body")
    opening, end, rest = after.partition(">")
    return f"{before}{body}{opening}{end}{line}{rest}"


def _web(hop: Hop, shown: EffectivePage, language: str) -> str:
    page = shown.page
    actions = page.actions(Goal(hop.cascade.goal)) if isinstance(page, CascadablePage) else ()
    with translation.override(language):
        return render_to_string(
            "cascade/workspace/preview_web.html",
            {
                "hop": hop,
                "organization": hop.organization,
                "effective": shown,
                "action": actions[0] if actions else None,
            },
        )
