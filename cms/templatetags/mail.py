"""Tags of mail templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from wagtail.rich_text import expand_db_html

from cms import mail

register = template.Library()


@register.simple_tag(takes_context=True)
def mail_html(context: dict[str, Any], source: object) -> SafeString:
    """Rich text of a zone, cleaned and styled, held back from MJML until it is compiled."""
    sender = context["sender"]
    html = expand_db_html(getattr(source, "source", str(source)))
    clean = mail.mail_rich_text(html, ink=sender.colors.ink, base_url=context.get("base_url", ""))
    return mark_safe(context["holes"].put(clean))


@register.simple_tag(takes_context=True)
def mail_lines(context: dict[str, Any], text: str) -> SafeString:
    """Plain text with its line ends, held back from MJML."""
    return mark_safe(context["holes"].put(mail.escape_lines(text)))


@register.simple_tag(takes_context=True)
def mail_image(context: dict[str, Any], image: Any) -> str:
    """Absolute, public and unguessable address of a picture, in twice the width it is shown at.

    ``image_scope`` of the context names what the public copy can be withdrawn with; ``files`` (``cms.files``), as in
    a preview, gives addresses that need no public copy.
    """
    from cms.mail_images import SHARED, public_url  # deferred: templates without pictures need no image library

    if files := context.get("files"):
        return files.image(image, 960)
    return context.get("base_url", "") + public_url(image, "width-1072", scope=context.get("image_scope", SHARED))
