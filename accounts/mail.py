"""Transactional mail: three templates make a message, whatever backend carries it.

``templates/emails/<name>.subject.txt``, ``.txt`` and ``.mjml``. How MJML becomes HTML is the content layer's
knowledge: it registers a renderer when the apps are ready. Without one, only the text part is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import Organization

Renderer = Callable[[str, dict[str, Any]], str]

_renderer: Renderer | None = None


def register_renderer(renderer: Renderer) -> None:
    """Make ``renderer(template_name, context)`` turn an ``.mjml`` template into HTML."""
    global _renderer
    _renderer = renderer


def absolute_url(url_name: str, *args: Any, **kwargs: Any) -> str:
    """An address for a mail; mails never take the host from a request, which its sender chooses."""
    return settings.BASE_URL.rstrip("/") + reverse(url_name, args=args, kwargs=kwargs)


def build(template: str, to: str, context: dict[str, Any], *, language: str = "") -> EmailMultiAlternatives:
    """The message ``emails/<template>`` to ``to`` in ``language`` (empty: the active one).

    ``context`` may hold ``organization``: the one in whose brand the mail appears; the vendor when missing.
    """
    with translation.override(language or translation.get_language()):
        organization = context.get("organization") or Organization.objects.filter(kind="vendor").first()
        full = {"base_url": settings.BASE_URL.rstrip("/"), **context, "organization": organization}
        full.setdefault("brand", getattr(organization, "brand", None))
        subject = " ".join(render_to_string(f"emails/{template}.subject.txt", full).split())
        message = EmailMultiAlternatives(
            subject=subject,
            body=render_to_string(f"emails/{template}.txt", full).strip() + "\n",
            to=[to],
            headers={"Auto-Submitted": "auto-generated"},
        )
        if _renderer is not None:
            message.attach_alternative(_renderer(f"emails/{template}.mjml", full), "text/html")
    return message


def send(template: str, to: str, context: dict[str, Any], *, language: str = "") -> None:
    """Build and send; the backend writes an outbox row, so a dead mail server breaks no page."""
    build(template, to, context, language=language).send()
