"""Hooks into Wagtail: the gate before its own serving."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from wagtail import hooks
from wagtail.models import Page

from cms import access


@hooks.register("before_serve_page")
def ask_before_serving(page: Page, request: HttpRequest, args: Any, kwargs: Any) -> None:
    """The one gate, also for Wagtail's own serving: what a person may not see is not there."""
    if not access.can_see(request.user, page):
        raise Http404
