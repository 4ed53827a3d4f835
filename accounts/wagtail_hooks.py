"""The Wagtail admin's menus show only what the person may open."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import Resolver404, URLResolver, include, path, resolve, reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from accounts.admin_access import may_open


@hooks.register("construct_main_menu")
@hooks.register("construct_settings_menu")
@hooks.register("construct_reports_menu")
def hide_closed_entries(request: HttpRequest, menu_items: list[MenuItem]) -> None:
    """An entry that answers 403 should not be there."""
    menu_items[:] = [item for item in menu_items if _is_open(request, item.url)]


@hooks.register("register_admin_urls")
def distributor_urls() -> list[URLResolver]:
    """The vendor's own network."""
    return [path("distributors/", include("accounts.distributor_urls"))]


@hooks.register("register_admin_menu_item")
def distributors_entry() -> MenuItem:
    """Beside the cascades that go to them."""
    return MenuItem(_("Distributors"), reverse("distributors:index"), icon_name="group", order=290)


@hooks.register("register_admin_menu_item")
def people_entry() -> MenuItem:
    """The vendor's own people are managed in the portal, like everybody's."""
    return MenuItem(_("People"), reverse("people"), icon_name="user", order=900)


def _is_open(request: HttpRequest, url: str) -> bool:
    path = url.partition("?")[0].partition("#")[0]
    if not path.startswith(reverse("wagtailadmin_home")):
        return True  # submenus, and addresses outside the admin
    try:
        return may_open(request.user, resolve(path).view_name)
    except Resolver404:
        return True
