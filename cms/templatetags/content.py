"""Tags of the blocks of zoned pages: ``{% load content %}``."""

from __future__ import annotations

from typing import Any

from django import template

from cms.files import WIDTHS, FileLinks, PortalLinks

register = template.Library()


def _links(context: dict[str, Any]) -> FileLinks | None:
    """``files`` of the context, else links for signed-in readers of the effective page (or page) that is shown."""
    if links := context.get("files"):
        return links
    shown = context.get("effective")
    page = shown.page if shown else context.get("page")
    return PortalLinks(page.pk) if page is not None else None


@register.simple_tag(takes_context=True)
def image_url(context: dict[str, Any], image: Any, width: int = 960) -> str:
    """Address of a picture for who reads this page; empty where there is none."""
    links = _links(context)
    return links.image(image, width) if links and image else ""


@register.simple_tag(takes_context=True)
def image_srcset(context: dict[str, Any], image: Any) -> str:
    """The picture in every width that makes sense for it."""
    links = _links(context)
    if not links or not image:
        return ""
    widths = [width for width in WIDTHS if width <= image.width] or [WIDTHS[0]]
    return ", ".join(f"{links.image(image, width)} {width}w" for width in widths)


@register.simple_tag(takes_context=True)
def document_url(context: dict[str, Any], document: Any) -> str:
    """Address of a file for who reads this page; empty where there is none."""
    links = _links(context)
    return links.document(document) if links and document else ""
