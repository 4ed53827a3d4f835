"""Imprint and privacy notice: of whom the page's brand belongs to, and of the vendor who runs the portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cms.context_processors import Shell


@require_safe
def imprint(request: HttpRequest) -> HttpResponse:
    """Who is responsible for this portal."""
    return _legal(request, "imprint", _("Imprint"))


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is stored about people, and why."""
    return _legal(request, "privacy", _("Privacy"))


def _legal(request: HttpRequest, field: str, title: str) -> HttpResponse:
    shell = Shell(request)
    concerned = {o.pk: o for o in (shell.organization, shell.vendor) if o is not None}
    texts = [(o.name, text) for o in concerned.values() if (text := getattr(o, field))]
    return render(request, "cms/legal.html", {"title": title, "texts": texts})
