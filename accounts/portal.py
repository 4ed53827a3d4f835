"""The base of every portal view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from accounts.policies import NotAllowed

if TYPE_CHECKING:
    from accounts.viewer import Viewer


class PortalView:
    """A page for signed-in people. Put it left of Django's view class.

    Signed out: the sign-in page, and back afterwards. The wrong kind of organization, or a verb that raises
    NotAllowed: 403 with the reason. What one may not even know of is a 404, because every queryset starts at
    ``visible_to``. Answers are private to the person: no shared cache may keep them.
    """

    request: HttpRequest
    kinds: ClassVar[frozenset[str]] = frozenset()  # of the organization acted for; empty: any, or none at all
    managers_only: ClassVar[bool] = False

    @property
    def viewer(self) -> Viewer:
        """Who looks, and as whom."""
        return self.request.viewer  # type: ignore[attr-defined]

    def refusal(self) -> str:
        """Why this viewer may not be here; empty when they may."""
        if self.kinds and self.viewer.kind not in self.kinds:
            return _("This page is not for your organization.")
        if self.managers_only and not self.viewer.can_manage:
            return _("Only owners and managers of your organization may open this page.")
        return ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in, or send to sign-in, or refuse."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        if reason := self.refusal():
            raise PermissionDenied(reason)
        try:
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        patch_cache_control(response, private=True, no_cache=True)
        return response
