"""Cascades in the Wagtail admin: menu, addresses, and "Release…" where a page is edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import URLResolver, include, path, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.action_menu import ActionMenuItem
from wagtail.admin.menu import MenuItem
from wagtail.admin.widgets.button import Button
from wagtail.models import Page

from accounts import policies
from accounts.models import User
from cascade.models import Cascade


@hooks.register("register_admin_urls")
def cascade_urls() -> list[URLResolver]:
    """The vendor's screens live inside the admin, with its sign-in and look."""
    return [path("cascades/", include("cascade.vendor_urls"))]


class CascadesMenuItem(MenuItem):
    """For the vendor's people."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Others would only see an empty list."""
        return isinstance(request.user, User) and request.user.is_vendor


@hooks.register("register_admin_menu_item")
def cascades_entry() -> MenuItem:
    """Right below the pages: releasing is what comes after writing."""
    return CascadesMenuItem(_("Cascades"), reverse("cascades:index"), name="cascades", icon_name="resubmit", order=150)


def _can_release(user: User, page: Page) -> bool:
    kind = page.specific_class
    return bool(kind and getattr(kind, "is_cascadable", False)) and policies.can(user, "release", Cascade())


def _release_url(page: Page) -> str:
    return f"{reverse('cascades:create')}?page={page.pk}"


class ReleaseMenuItem(ActionMenuItem):
    """Beside "Publish" in the page editor."""

    name = "action-release"
    label = _("Release…")
    icon_name = "resubmit"

    def is_shown(self, context: dict[str, Any]) -> bool:
        """For a saved page that can be released, to who may."""
        page = context.get("page")
        return bool(context["view"] == "edit" and page and _can_release(context["request"].user, page))

    def get_url(self, parent_context: dict[str, Any]) -> str:
        """The release form with this page in it."""
        return _release_url(parent_context["page"])


@hooks.register("register_page_action_menu_item")
def release_action() -> ActionMenuItem:
    """The editor's way from writing to releasing."""
    return ReleaseMenuItem(order=5)


@hooks.register("register_page_header_buttons")
def release_button(page: Page, user: User, view_name: str, next_url: str | None = None) -> Iterator[Button]:
    """The same in the header's menu, where the page is listed or edited."""
    if _can_release(user, page):
        yield Button(_("Release…"), url=_release_url(page), icon_name="resubmit", priority=5)
