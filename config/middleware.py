"""Middleware that belongs to no app."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

GetResponse = Callable[[HttpRequest], HttpResponse]

ADMIN_POLICY = {"script-src": ["'unsafe-inline'"], "style-src": ["'unsafe-inline'"]}


class AdminPolicyMiddleware:
    """Lets the Wagtail admin, and nothing else, run inline scripts and set inline styles.

    Its date choosers initialize themselves inline (explorer filters, page editor, user list), and its rich text
    editor sets style attributes from strings; the portal keeps the strict policy of ``CONTENT_SECURITY_POLICY``.
    Sits inside ``CSPMiddleware``, which writes the header.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.prefix = reverse("wagtailadmin_home")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on and widen the policy of an answer of the admin."""
        response = self.get_response(request)
        if request.path_info.startswith(self.prefix) and not hasattr(response, "_csp_replace"):
            response._csp_update = ADMIN_POLICY  # type: ignore[attr-defined]  # read by django-csp
        return response
