"""Hooks into Wagtail: the gate before its serving, guards before its verbs, our screens inside its admin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLResolver, include, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.widgets.button import Button
from wagtail.models import Page
from wagtail.permission_policies.pages import PagePermissionPolicy
from wagtail.query import PageQuerySet

from accounts.models import User
from cms import access, guard
from cms.models import ZonedPage


@hooks.register("before_serve_page")
def ask_before_serving(page: Page, request: HttpRequest, args: Any, kwargs: Any) -> None:
    """The one gate, also for Wagtail's own serving: what a person may not see is not there."""
    user: User | AnonymousUser = request.user
    if not access.can_see(user, page):
        raise Http404


# --- guards -------------------------------------------------------------------------------------------------------


@hooks.register("before_delete_page")
def guard_delete(request: HttpRequest, page: Page) -> HttpResponse | None:
    """A page that somebody holds on to gives a reason instead of a ProtectedError."""
    return _refuse(request, page, guard.reasons_against("delete", [page]))


@hooks.register("before_move_page")
def guard_move(request: HttpRequest, page: Page, destination: Page) -> HttpResponse | None:
    """A page on its way down the chain stays where people were sent to."""
    return _refuse(request, page, guard.reasons_against("move", [page]))


@hooks.register("before_unpublish_page")
def guard_unpublish(request: HttpRequest, page: Page) -> HttpResponse | None:
    """Taking an item back is a recall, with its reason and its tombstone."""
    below = "include_descendants" in request.POST
    return _refuse(request, page, guard.reasons_against("unpublish", [page], with_descendants=below))


@hooks.register("before_publish_page")
def guard_publish(request: HttpRequest, page: Page) -> HttpResponse | None:
    """The form says it at the field; this is for every other way to publish."""
    return _refuse(request, page, guard.reasons_against_publishing(page))


@hooks.register("before_bulk_action")
def guard_bulk(request: HttpRequest, action_type: str, objects: list[Any], action: Any) -> HttpResponse | None:
    """The same for many pages at once; one that must stay stops the whole action."""
    pages = [item for item in objects if isinstance(item, Page)]
    if not pages:
        return None
    below = bool(action.cleaned_form and action.cleaned_form.cleaned_data.get("include_descendants"))
    if action_type == "publish":
        every = [*pages, *(child for page in pages if below for child in page.get_descendants())]
        reasons = [reason for page in every for reason in guard.reasons_against_publishing(page)]
    elif action_type == "unpublish":
        reasons = guard.reasons_against("unpublish", pages, with_descendants=below)
    elif action_type in {"delete", "move"}:
        reasons = guard.reasons_against("delete" if action_type == "delete" else "move", pages)
    else:
        reasons = []
    return _refuse(request, pages[0], reasons)


@hooks.register("after_publish_page")
def warn_after_publishing(request: HttpRequest, page: Page) -> None:
    """What is allowed and yet probably a mistake is said once."""
    for warning in guard.warnings_about(page):
        messages.warning(request, warning)


def _refuse(request: HttpRequest, page: Page, reasons: Iterable[str]) -> HttpResponse | None:
    reasons = list(reasons)
    if not reasons:
        return None
    for reason in reasons[:5]:
        messages.error(request, reason)
    parent = page.get_parent()
    return redirect("wagtailadmin_explore", parent.pk if parent else page.pk)


# --- the admin ----------------------------------------------------------------------------------------------------


@hooks.register("construct_page_chooser_queryset")
def only_pages_of_ones_own(pages: PageQuerySet, request: HttpRequest) -> PageQuerySet:
    """Wagtail's chooser lists every page, drafts included; staff with partial rights choose from their part."""
    policy = PagePermissionPolicy()
    mine = policy.instances_user_has_any_permission_for(request.user, {"add", "change", "publish"}).values("pk")
    explorable = policy.explorable_instances(request.user).values("pk")
    return pages.filter(Q(pk__in=mine) | Q(pk__in=explorable))


@hooks.register("register_admin_urls")
def content_urls() -> list[URLResolver]:
    """Preview as a distributor, and who can see a page."""
    return [path("onward/", include("cms.admin_urls"))]


@hooks.register("register_page_header_buttons")
def content_buttons(page: Page, user: User, view_name: str, next_url: str | None = None) -> Iterator[Button]:
    """Where a page is listed or edited: see it as a distributor's readers do, and see who they are."""
    if isinstance(page.specific, ZonedPage):
        yield Button(_("Preview as…"), url=reverse("onward:preview", args=[page.pk]), icon_name="view", priority=6)
        yield Button(
            _("Who can see this?"), url=reverse("onward:access", args=[page.pk]), icon_name="group", priority=7
        )


@hooks.register("insert_global_admin_css")
def admin_css() -> SafeString:
    """Badges of zones, and our own screens."""
    return format_html('<link rel="stylesheet" href="{}">', static("css/admin.css"))
