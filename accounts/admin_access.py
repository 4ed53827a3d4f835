"""Who gets into the Wagtail admin, and how far: the vendor's staff, and only to the views named here.

Wagtail's generic views ask about the model and not the row, its image and document API lists every title, and some
reports name people and pages of others. So nobody but the vendor's staff gets in at all, and who is no superuser
reaches only names on a list; a new view of Wagtail or of ours is closed until somebody opens it.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User

# For vendor staff, as patterns of "namespace:name".
ALLOWED = [
    "wagtailadmin_home",
    "wagtailadmin_explore*",
    "wagtail_bulk_action",
    "wagtailadmin_choose_page*",
    "wagtailadmin_account",
    "wagtailadmin_logout",
    "wagtailadmin_dismissibles",
    "wagtailadmin_block_preview",
    "wagtailadmin_sprite",
    "wagtailadmin_javascript_catalog",
    "wagtailadmin_api:pages:*",
    "wagtailadmin_pages:*",
    "wagtailadmin_editing_sessions:*",
    "wagtaildocs:*",
    "wagtaildocs_chooser:*",
    "wagtailimages:*",
    "wagtailimages_chooser:*",
    "wagtailredirects:*",
    "distributors:*",
]
# For nobody but superusers although a pattern above names them.
WITHHELD = [
    "wagtailadmin_pages:copy",  # takes private pages and their history along (Wagtail issue 9270)
    "wagtailadmin_pages:convert_alias",
    "wagtailadmin_pages:set_privacy",  # levels and access rules decide; a restriction per page would slow every list
    "wagtailimages:url_generator*",  # makes public addresses
    "wagtailredirects:start_import",
    "wagtailredirects:process_import",
]
# For nobody: what would break rules of ours that Wagtail does not know.
CLOSED = [
    "wagtailusers_users:add",  # people join by invitation, with a person and a verified address
    "wagtailusers_users:edit",  # changing the address here would skip its verification
    "wagtailusers_users:delete",  # erasing a person is a verb
    "wagtailusers_users:copy",
    "wagtailadmin_password_reset*",
]


def allow(*patterns: str) -> None:
    """Open admin views of an app, as patterns of "namespace:name"; called in its ``AppConfig.ready()``."""
    ALLOWED.extend(pattern for pattern in patterns if pattern not in ALLOWED)


def may_open(user: User | AnonymousUser, view_name: str) -> bool:
    """Whether ``user`` may call the admin view ``view_name``; its own permission checks come on top."""
    if not user.is_active or not user.has_perm("wagtailadmin.access_admin") or _matches(view_name, CLOSED):
        return False
    if user.is_superuser:
        return True
    return _matches(view_name, ALLOWED) and not _matches(view_name, WITHHELD)


class AdminAccessMiddleware:
    """Asks ``may_open`` before every view of the Wagtail admin; signed-out people go to the portal's sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.prefix = reverse("wagtailadmin_home")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass on; the decision needs the resolved view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Refuse, send to sign-in, or let Wagtail go on."""
        if not request.path_info.startswith(self.prefix):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else self.prefix)
        if not request.user.has_perm("wagtailadmin.access_admin"):
            raise PermissionDenied(_("This area is for the vendor's staff."))
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name and not may_open(request.user, name):
            raise PermissionDenied(_("Your role does not include this part of the admin."))
        return None


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
