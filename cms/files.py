"""Pictures and files, served only through a page that the person may see.

Nothing else hands them out: Wagtail's own document and image addresses are not in the URL configuration, and what lies
under MEDIA_URL opens for vendor staff alone. A page shown without sign-in carries signed links of minutes instead;
pictures of mails are copies with addresses of their own (``cms.mail_images``).
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from django.core import signing
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from wagtail.documents.models import Document
from wagtail.images.models import Image, SourceImageIOError
from wagtail.models import Page

from accounts.models import Organization
from cms import access
from cms.effective import EffectivePage, effective
from cms.models import ResourcePage, ZonedPage

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile

WIDTHS = (480, 960, 1440)  # pixels; the only renditions that can be asked for
LINK_SECONDS = 30 * 60
PRIVATE = "private, max-age=600"
_SALT = "cms.files"
# What a browser may show in place; all else is saved, so that no upload runs as a page of ours.
_INLINE_TYPES = {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}


class FileLinks(Protocol):
    """Addresses of what a page shows, for its readers."""

    def image(self, image: Image, width: int) -> str:
        """Address of ``image`` at most ``width`` (one of WIDTHS) pixels wide."""

    def document(self, document: Document) -> str:
        """Address of a file."""


@dataclass(frozen=True)
class PortalLinks:
    """Addresses for people who are signed in and see the page."""

    page_id: int

    def image(self, image: Image, width: int) -> str:
        """Checked against page and person at each request."""
        return reverse("content_image", args=[self.page_id, image.pk, width])

    def document(self, document: Document) -> str:
        """Checked against page and person at each request."""
        return reverse("content_document", args=[self.page_id, document.pk, PurePosixPath(document.filename).name])


@dataclass(frozen=True)
class SignedLinks:
    """Addresses for readers who are not signed in; they end after half an hour, or when the page is taken back."""

    page_id: int
    organization_id: int | None
    base_url: str = ""

    def image(self, image: Image, width: int) -> str:
        """Opens for whoever has it, for minutes."""
        return self._url("image", image.pk, width)

    def document(self, document: Document) -> str:
        """Opens for whoever has it, for minutes."""
        return self._url("document", document.pk, 0)

    def _url(self, kind: str, pk: int, width: int) -> str:
        token = signing.dumps([kind, self.page_id, self.organization_id, pk, width], salt=_SALT)
        return self.base_url + reverse("signed_file", args=[token])


@dataclass(frozen=True)
class PageFiles:
    """Ids of what an effective page shows."""

    images: frozenset[int]
    documents: frozenset[int]


def files_of(shown: EffectivePage) -> PageFiles:
    """What readers of ``shown`` may load: its pictures and files, and the files of a resource page."""
    zones = [zone for zone in shown.zones if not zone.is_dropped and zone.value]
    images = {zone.value.get("image") for zone in zones if zone.zone.kind == "image"}
    documents = {zone.value.get("document") for zone in zones if zone.zone.kind == "document"}
    if isinstance(shown.page, ResourcePage):
        documents |= set(shown.page.files.values_list("document_id", flat=True))
    return PageFiles(frozenset(images - {None}), frozenset(documents - {None}))


@require_safe
def content_image(request: HttpRequest, page_id: int, image_id: int, width: int) -> HttpResponseBase:
    """A picture of a page that the signed-in person may see, as their distributor's readers get it."""
    return image_response(_page_of(request, page_id), image_id, width)


@require_safe
def content_document(request: HttpRequest, page_id: int, document_id: int, filename: str) -> HttpResponseBase:
    """A file of a page that the signed-in person may see."""
    return document_response(_page_of(request, page_id), document_id)


@require_safe
def signed_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a signed link leads to. It still has to be on the page, and the page has to be live."""
    try:
        kind, page_id, organization_id, pk, width = signing.loads(token, salt=_SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise Http404(_("This link has ended. Open the page again.")) from error
    page = get_object_or_404(Page.objects.live(), pk=page_id).specific
    organization = Organization.objects.filter(pk=organization_id).first() if organization_id else None
    if not isinstance(page, ZonedPage) or (organization_id and organization is None):
        raise Http404
    shown = effective(page, organization)
    return image_response(shown, pk, width) if kind == "image" else document_response(shown, pk)


@require_safe
def staff_media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Stored files as the Wagtail admin's own pages refer to them: for vendor staff only."""
    if not _is_staff(request) or not default_storage.exists(path):
        raise Http404
    return _response(default_storage.open(path), PurePosixPath(path).name)


@require_safe
def staff_document(request: HttpRequest, document_id: int, filename: str) -> HttpResponseBase:
    """A document as the Wagtail admin links to it: for vendor staff only."""
    if not _is_staff(request):
        raise Http404
    document = get_object_or_404(Document, pk=document_id)
    return _response(document.file.open("rb"), document.filename)


def image_response(shown: EffectivePage, image_id: int, width: int) -> HttpResponseBase:
    """The picture at one of the widths; 404 unless ``shown`` shows it."""
    if width not in WIDTHS or image_id not in files_of(shown).images:
        raise Http404
    image = get_object_or_404(Image, pk=image_id)
    try:
        rendition = image.get_rendition(f"width-{width}")
        return _response(rendition.file.open("rb"), PurePosixPath(rendition.file.name).name)
    except (SourceImageIOError, FileNotFoundError) as error:
        raise Http404 from error


def document_response(shown: EffectivePage, document_id: int) -> HttpResponseBase:
    """The file; 404 unless ``shown`` shows it."""
    if document_id not in files_of(shown).documents:
        raise Http404
    document = get_object_or_404(Document, pk=document_id)
    return _response(document.file.open("rb"), document.filename)


def _page_of(request: HttpRequest, page_id: int) -> EffectivePage:
    page = access.visible_pages(request.user).filter(pk=page_id).first()
    specific: Any = page.specific if page else None
    if not isinstance(specific, ZonedPage):
        raise Http404
    return effective(specific, request.viewer.distributor)  # type: ignore[attr-defined]


def _is_staff(request: HttpRequest) -> bool:
    user: Any = request.user
    return user.is_authenticated and user.is_active and user.is_vendor and user.has_perm("wagtailadmin.access_admin")


def _response(file: FieldFile | Any, name: str) -> FileResponse:
    """The bytes, never kept by a shared cache and never run as a page of ours."""
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    inline = content_type in _INLINE_TYPES
    response = FileResponse(file, filename=name, as_attachment=not inline, content_type=content_type)
    response["Cache-Control"] = PRIVATE
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
