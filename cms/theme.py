"""How a brand looks on screen: a stylesheet of custom properties and its logo, both public and cached for ever."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.colors import palette
from accounts.models import Brand

FOREVER = "public, max-age=31536000, immutable"
LOGO_TYPES = {".png": "image/png"}


def stylesheet(brand: Brand) -> str:
    """The brand's custom properties; tokens.css derives everything else from them."""
    colors = palette(brand.color)
    return (
        f":root{{--accent:{colors.accent};--on-accent:{colors.on_accent}}}\n"
        # A stronger pair where the browser cannot derive an ink by itself (no relative colors).
        f"@supports not (color:oklch(from red l c h)){{:root{{--accent-ink:{colors.ink}}}}}\n"
    )


def stylesheet_url(brand: Brand) -> str:
    """Address of the brand's stylesheet; it changes when the colors do."""
    return reverse("brand_css", args=[brand.pk, brand.fingerprint])


def logo_url(brand: Brand, *, dark: bool = False) -> str:
    """Address of the brand's logo, empty when there is none; the dark variant falls back to the ordinary one."""
    field = brand.logo_dark if dark and brand.logo_dark else brand.logo
    return reverse("brand_logo", args=[brand.pk, PurePosixPath(field.name).name]) if field else ""


def photo_url(brand: Brand) -> str:
    """Address of the picture of the brand's contact person, empty when there is none."""
    field = brand.contact_photo
    return reverse("brand_logo", args=[brand.pk, PurePosixPath(field.name).name]) if field else ""


@require_safe
def brand_css(request: HttpRequest, pk: int, fingerprint: str) -> HttpResponse:
    """The stylesheet of one brand. Colors are no secret: mails carry them to anybody."""
    brand = get_object_or_404(Brand, pk=pk)
    cache = FOREVER if brand.fingerprint == fingerprint else "no-cache"
    return HttpResponse(stylesheet(brand), content_type="text/css", headers={"Cache-Control": cache})


@require_safe
def brand_logo(request: HttpRequest, pk: int, name: str) -> FileResponse:
    """A picture the brand shows now. Its name is its digest; a replaced one is no longer served."""
    brand = get_object_or_404(Brand, pk=pk)
    for field in (brand.logo, brand.logo_dark, brand.contact_photo):
        path = PurePosixPath(field.name or "")
        if path.name == name and path.suffix in LOGO_TYPES:
            return FileResponse(
                field.open("rb"), content_type=LOGO_TYPES[path.suffix], headers={"Cache-Control": FOREVER}
            )
    raise Http404
