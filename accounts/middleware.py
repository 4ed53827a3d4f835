"""Which host was asked for, and who asks."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from accounts.models import OrganizationHost
from accounts.viewer import Viewer

GetResponse = Callable[[HttpRequest], HttpResponse]


class HostMiddleware:
    """Refuse hosts that are neither ours nor a verified OrganizationHost; ALLOWED_HOSTS cannot list a thousand."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400 to a foreign host, else pass on with ``request.host_organization``."""
        host = request.get_host().rsplit(":", 1)[0].lower()
        request.host_organization = None  # type: ignore[attr-defined]
        if host not in settings.OWN_HOSTS:
            row = (
                OrganizationHost.objects.filter(host=host, verified_at__isnull=False)
                .select_related("organization", "organization__brand")
                .first()
            )
            if row is None:
                return HttpResponseBadRequest("Unknown host.")
            request.host_organization = row.organization  # type: ignore[attr-defined]
        return self.get_response(request)


class ViewerMiddleware:
    """Put the lazy ``request.viewer`` in place."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on with ``request.viewer``; nothing is queried until somebody looks."""
        request.viewer = SimpleLazyObject(  # type: ignore[attr-defined]
            lambda: Viewer(request.user, request.host_organization)  # type: ignore[attr-defined]
        )
        return self.get_response(request)


class PreferencesMiddleware:
    """Speak the signed-in person's language and show times in their zone, for this request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Visitors without a session keep what the browser asked for, and cost no query."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return self.get_response(request)
        viewer = request.viewer  # type: ignore[attr-defined]
        if viewer.language:
            translation.activate(viewer.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(viewer.tzinfo):
            return self.get_response(request)
