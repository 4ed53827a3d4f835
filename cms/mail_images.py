"""Pictures of mails: copies at public addresses that nobody can guess, until they are taken back.

A mail program fetches pictures without signing in, days later, through proxies. So a mail never points at the
original: a copy is made when the mail is written, under a name that follows from a secret, the picture's content and
the scope it was made for. Taking a scope back (recall, retention) removes its copies and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.urls import reverse
from django.views.decorators.http import require_safe

if TYPE_CHECKING:
    from wagtail.images.models import Image

FOLDER = "mail-images"
SHARED = "shared"  # the scope of pictures that nobody named one for
CACHE = "public, max-age=86400"  # a day: long enough for proxies, short enough for a recall


def public_url(image: Image, filter_spec: str, *, scope: str = SHARED) -> str:
    """Path of a public copy of ``image`` in the rendition ``filter_spec``, made when it is not there yet.

    ``scope`` names what the copy belongs to, for instance ``cascade-12``, so that it can be withdrawn with it.
    """
    rendition = image.get_rendition(filter_spec)
    suffix = PurePosixPath(rendition.file.name).suffix.lower()
    name = _secret(f"{image.pk}:{image.file_hash or image.get_file_hash()}:{filter_spec}:{scope}") + suffix
    path = f"{FOLDER}/{_secret(scope)}/{name}"
    if not default_storage.exists(path):
        with rendition.file.open("rb") as file:
            default_storage.save(path, file)
    return reverse("mail_image", args=[_secret(scope), name])


def withdraw(scope: str) -> int:
    """Remove the copies of ``scope``; mails already sent show their descriptions instead. Returns how many."""
    folder = f"{FOLDER}/{_secret(scope)}"
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return 0
    for name in names:
        default_storage.delete(f"{folder}/{name}")
    return len(names)


@require_safe
def mail_image(request: HttpRequest, scope: str, name: str) -> FileResponse:
    """A copy, for anybody who has its address. No cookie is read or set, and nothing is counted."""
    path = f"{FOLDER}/{scope}/{name}"
    if not default_storage.exists(path):
        raise Http404
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {
        "Cache-Control": CACHE,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return FileResponse(default_storage.open(path), content_type=content_type, headers=headers)


def _secret(text: str) -> str:
    """32 hex digits that only this installation can compute."""
    return hmac.new(settings.SECRET_KEY.encode(), f"mail-image:{text}".encode(), hashlib.sha256).hexdigest()[:32]
