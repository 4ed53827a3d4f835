"""The reseller's side of the portal: what to do, what is new, and an item in its distributor's look."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.generic import View

from accounts.enums import OrganizationKind
from accounts.models import Organization
from accounts.portal import PortalView
from cascade.completion import complete
from cascade.enums import Goal
from cascade.forms.recipient import ActForm
from cascade.items import Given, Item, NoContent, given_to, item_for, with_pages
from cms import theme
from cms.context_processors import Look
from cms.files import FileLinks, PortalLinks, SignedLinks

SHOWN_TO_DO = 5
SHOWN_NEW = 5
PAGE_SIZE = 20


class ResellerView(PortalView, View):
    """A page for a reseller's people."""

    kinds = frozenset({OrganizationKind.RESELLER})

    @property
    def language(self) -> str:
        """The language the person reads the portal in."""
        return get_language() or "en"


class ResellerHome(ResellerView):
    """The two or three things to do, what is new, and whom to ask."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Everything with a constant number of queries."""
        given = given_to(self.viewer)
        to_do = [one for one in given if one.is_to_do]
        rest = [one for one in given if not one.is_to_do]
        shown = with_pages([*to_do[:SHOWN_TO_DO], *rest[:SHOWN_NEW]], self.language)
        distributor = self.viewer.distributor
        context = {
            "to_do": [pair for pair in shown if pair[0].is_to_do],
            "to_do_count": len(to_do),
            "news": [pair for pair in shown if not pair[0].is_to_do],
            "given_count": len(given),
            "distributor": distributor,
            **contact_of(distributor),
            "distributors": self.viewer.distributors,
        }
        return render(request, "reseller/home.html", context)


class ItemList(ResellerView):
    """Everything this reseller was given."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """To do, done or all, a page at a time."""
        given = given_to(self.viewer)
        counts = {
            "": len(given),
            "to-do": sum(one.is_to_do for one in given),
            "done": sum(one.done_at is not None or one.is_done_by_team for one in given),
        }
        show = request.GET.get("show", "")
        page = Paginator([one for one in given if _matches(one, show)], PAGE_SIZE).get_page(request.GET.get("page"))
        tabs = [("", _("All"), counts[""]), ("to-do", _("To do"), counts["to-do"]), ("done", _("Done"), counts["done"])]
        context = {"page": page, "rows": with_pages(list(page.object_list), self.language), "tabs": tabs, "show": show}
        return render(request, "reseller/items.html", context)


class ItemPage(ResellerView):
    """One item, as the distributor that gave it shows it."""

    @cached_property
    def given(self) -> Given:
        """What this reseller was given of the cascade; 404 for what it was not."""
        found = given_to(self.viewer, cascade=self.kwargs["pk"])
        if not found:
            raise Http404
        return found[0]

    @cached_property
    def item(self) -> Item:
        """The item itself."""
        try:
            return item_for(self.given.edge.hop, self.language)
        except NoContent as error:
            raise Http404 from error

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The article and its button; after a recall, why it is gone."""
        template = "reseller/item.html" if self.item.is_readable else "reseller/withdrawn.html"
        context = {
            "given": self.given,
            "item": self.item,
            "effective": self.item.effective,
            "files": self.files,
            "brand": Look.of(self.item.giver),
            **contact_of(self.item.giver),
        }
        status = HTTPStatus.OK if self.item.is_readable else HTTPStatus.GONE
        return render(request, template, context, status=status)

    @property
    def files(self) -> FileLinks:
        """Checked links while the reader looks through the giver, else links of minutes to the giver's version."""
        page, giver = self.item.page, self.item.giver
        return PortalLinks(page.pk) if giver == self.viewer.distributor else SignedLinks(page.pk, giver.pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the item asks for."""
        if not self.item.is_open:
            messages.warning(request, _("This item is closed, so nothing was recorded."))
        elif self.act(request.POST):
            messages.success(request, _("Done. %(giver)s sees it.") % {"giver": self.item.giver.name})
        return redirect("reseller_item", pk=pk)

    def act(self, data: Any) -> bool:
        """Record one act of the person, if the item offers it."""
        form = ActForm(data, item=self.item)
        if form.is_valid():
            person = self.viewer.user.person  # type: ignore[union-attr]
            goal = Goal(form.cleaned_data["goal"])
            complete(person, self.item.page, goal, evidence={"through": "portal"}, by=None)
        return form.is_valid()


class ItemRead(ItemPage):
    """The portal's script says that the person has had the item in view for ten seconds."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Only ever posted."""
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Record it, silently."""
        if self.item.is_open:
            self.act({"goal": Goal.READ})
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def contact_of(distributor: Organization | None) -> dict[str, Any]:
    """Whom a reseller asks: the contact in the distributor's brand, with a face if there is one."""
    brand = getattr(distributor, "brand", None)
    return {"contact": brand, "contact_photo_url": theme.photo_url(brand) if brand else ""}


def _matches(one: Given, show: str) -> bool:
    if show == "to-do":
        return one.is_to_do
    if show == "done":
        return one.done_at is not None or one.is_done_by_team
    return True
