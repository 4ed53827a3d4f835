"""A page as a distributor's readers would get it: web page, mail or written text. Nothing here changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.enums import OrganizationKind
from accounts.models import Organization
from cms import mail, theme
from cms.effective import EffectivePage, body_text, effective

if TYPE_CHECKING:
    from wagtail.documents.models import Document
    from wagtail.images.models import Image

    from accounts.models import User
    from cms.models import ZonedPage

NOWHERE = "#"
# Mails bring inline styles, and nothing in a preview may run or load from elsewhere.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups"
)
SESSION_KEY = "preview_distributor"


class PreviewMode(StrEnum):
    """How a page reaches its reader."""

    WEB = "web"
    MAIL = "mail"
    TEXT = "text"

    @property
    def label(self) -> str | Promise:
        """The word on its tab."""
        return {
            PreviewMode.WEB: gettext_lazy("Web page"),
            PreviewMode.MAIL: gettext_lazy("E-mail"),
            PreviewMode.TEXT: gettext_lazy("Plain text"),
        }[self]


@dataclass(frozen=True)
class StaffLinks:
    """Pictures and files of drafts, which only vendor staff may load (``cms.files.staff_media``)."""

    def image(self, image: Image, width: int) -> str:
        """The rendition where the admin shows it."""
        return image.get_rendition(f"width-{width}").url

    def document(self, document: Document) -> str:
        """The file where the admin links to it."""
        return document.url


def modes_of(page: ZonedPage) -> list[PreviewMode]:
    """Every page has a web page; only what is cascaded is mailed."""
    return list(PreviewMode) if page.is_cascadable else [PreviewMode.WEB]


def preview(page: ZonedPage, organization: Organization | None, mode: PreviewMode | str) -> str:
    """A whole HTML document: ``page`` as readers of ``organization`` get it, None for the vendor's own words.

    ``page`` may be an unpublished draft. Personal values are made up.
    """
    mode = PreviewMode(mode)
    shown = effective(page, organization)
    sender = organization or _vendor()
    with translation.override(shown.locale.language_code):
        if mode == PreviewMode.WEB or sender is None:
            brand = getattr(sender, "brand", None)
            context = {
                "effective": shown,
                "sender_name": sender.name if sender else "",
                "stylesheet": theme.stylesheet_url(brand) if brand else "",
                "logo": theme.logo_url(brand) if brand else "",
                "files": StaffLinks(),
            }
            return render_to_string("cms/preview/web.html", context)
        template, values = _mail_of(page, shown, sender)
        rendered = mail.render(template, values, language=shown.locale.language_code)
        if mode == PreviewMode.TEXT:
            return render_to_string("cms/preview/text.html", {"subject": rendered.subject, "text": rendered.text})
        return rendered.html


def preview_response(page: ZonedPage, organization: Organization | None, mode: PreviewMode | str) -> HttpResponse:
    """The same as a response that can be framed by our own pages and cannot run anything."""
    response = HttpResponse(preview(page, organization, mode))
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "private, no-store"
    return response


def record_preview(page: ZonedPage, organization: Organization, *, by: User) -> None:
    """Log that vendor staff looked at ``page`` as ``organization``'s readers; its managers read that log."""
    audit.record("page.previewed", by=by, owner=organization, obj=page)


def _mail_of(page: Any, shown: EffectivePage, sender: Organization) -> tuple[str, dict[str, Any]]:
    """Template and values of the mail about ``page``, a cascadable page, with links that lead nowhere."""
    content = page.mail(shown, shown.locale.language_code)
    actions = page.actions(page.goals()[0])
    return content.template, {
        "organization": sender,
        "base_url": "",
        "files": StaffLinks(),
        "effective": shown,
        "body_text": body_text(shown),
        "action": actions[0] if actions else None,
        "actions": actions,
        "button_label": content.button_label,
        "links": dict.fromkeys(("view", "act", "why", "unsubscribe", "preferences"), NOWHERE),
        "slots": {"name": _("Alex Example"), "company": _("Example Systems Ltd")},
        **content.context,
    }


def _vendor() -> Organization | None:
    return Organization.objects.filter(kind=OrganizationKind.VENDOR).select_related("brand").first()
