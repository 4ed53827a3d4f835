"""The network of the distributor acted for: list, export, bulk acts, one reseller, tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from babel import Locale
from django.contrib import messages
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.generic import CreateView, FormView, ListView, UpdateView, View

from accounts import exports, invitations, network
from accounts.enums import LinkStatus, OrganizationKind
from accounts.forms.network import BulkForm, NetworkFilterForm, NewResellerForm, ResellerForm, TagForm
from accounts.models import Contact, Invitation, NetworkLink, NetworkTag, Organization
from accounts.policies import NotAllowed
from accounts.portal import PortalView

SORTS: dict[str, Any] = {
    "name": Lower("shown_name"),
    "city": Lower("city"),
    "number": F("customer_number"),
    "country": F("downstream__country"),
    "since": F("since"),
    "people": F("people"),
}


class NetworkView(PortalView):
    """A page of the distributor acted for; members read, managers also change."""

    kinds = frozenset({OrganizationKind.DISTRIBUTOR})

    @property
    def owner(self) -> Organization:
        """The distributor acted for."""
        owner = self.viewer.organization
        assert owner is not None
        return owner

    def links(self) -> QuerySet[NetworkLink]:
        """Its links to resellers, under the names it uses."""
        return (
            NetworkLink.objects.visible_to(self.request.user)
            .filter(upstream=self.owner)
            .select_related("upstream", "downstream")
            .annotate(shown_name=Coalesce(NullIf("name_as_known", Value("")), "downstream__name"))
        )

    def get_link(self, pk: int) -> NetworkLink:
        """One of them; 404 for anybody else's."""
        return get_object_or_404(self.links(), pk=pk)


class NetworkList(NetworkView, ListView):
    """Resellers with search, filters, sort and bulk acts."""

    template_name = "accounts/network/list.html"
    context_object_name = "links"
    paginate_by = 50
    extra_context = {
        "title": gettext_lazy("Network"),
        "purpose": gettext_lazy("The resellers you serve, and their people."),
    }

    @cached_property
    def tags(self) -> list[NetworkTag]:
        """The distributor's tags."""
        return list(NetworkTag.objects.visible_to(self.request.user).filter(owner=self.owner))

    @cached_property
    def filter_form(self) -> NetworkFilterForm:
        """The filters, with what this network has to choose from."""
        own = NetworkLink.objects.filter(upstream=self.owner)
        return NetworkFilterForm(
            self.request.GET,
            tags=self.tags,
            countries=list(own.order_by().values_list("downstream__country", flat=True).distinct()),
            segments=list(own.exclude(segment="").order_by("segment").values_list("segment", flat=True).distinct()),
        )

    def get_queryset(self) -> QuerySet[NetworkLink]:
        """As filtered and sorted."""
        form = self.filter_form
        chosen = form.cleaned_data if form.is_valid() else {}
        links = filtered(self.links(), chosen)
        people = Contact.objects.filter(owner=self.owner, organization=OuterRef("downstream"), is_active=True)
        count = people.order_by().values("organization").annotate(n=Count("pk")).values("n")
        links = links.annotate(people=Coalesce(count, 0)).prefetch_related("tags")
        sort = self.request.GET.get("sort", "")
        order = SORTS.get(sort.removeprefix("-"), SORTS["name"])
        return links.order_by(order.desc() if sort.startswith("-") else order.asc(), "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Filters, and what a bulk act may do."""
        return super().get_context_data(
            filter_form=self.filter_form,
            is_filtered=any(value for name, value in self.request.GET.items() if name not in ("page", "sort")),
            query=self.request.GET.urlencode(),
            tags=self.tags,
            **kwargs,
        )


def filtered(links: QuerySet[NetworkLink], chosen: dict[str, Any]) -> QuerySet[NetworkLink]:
    """``links`` that match the filters; without a status the ended ones stay out."""
    status = chosen.get("status")
    if not status:
        links = links.exclude(status=LinkStatus.ENDED)
    elif status != "all":
        links = links.filter(status=status)
    if chosen.get("tag"):
        links = links.filter(tags=chosen["tag"])
    if chosen.get("country"):
        links = links.filter(downstream__country=chosen["country"])
    if chosen.get("segment"):
        links = links.filter(segment=chosen["segment"])
    for word in (chosen.get("q") or "").split():
        person = Contact.objects.filter(
            Q(name__icontains=word) | Q(address__email__icontains=word),
            owner=OuterRef("upstream"),
            organization=OuterRef("downstream"),
        )
        links = links.filter(
            Q(shown_name__icontains=word)
            | Q(city__icontains=word)
            | Q(customer_number__icontains=word)
            | Q(territory__icontains=word)
            | Exists(person)
        )
    return links


class NetworkExport(NetworkList):
    """The list as filtered and sorted on the screen, as a file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """All pages of it."""
        return exports.response(self._rows(), "network", kwargs["kind"])

    def _rows(self) -> Iterator[list[Any]]:
        names = Locale.parse(get_language() or "en", sep="-").territories
        yield [
            _("Reseller"),
            _("Status"),
            _("Country"),
            _("Country code"),
            _("City"),
            _("Customer number"),
            _("Segment"),
            _("Territory"),
            _("Product lines"),
            _("Preferred"),
            _("Tags"),
            _("People"),
            _("Since"),
            _("Until"),
        ]
        for link in self.get_queryset().iterator(chunk_size=500):
            yield [
                link.shown_name,  # type: ignore[attr-defined]
                link.get_status_display(),
                names.get(link.downstream.country, ""),
                link.downstream.country,
                link.city,
                link.customer_number,
                link.segment,
                link.territory,
                link.product_lines,
                _("Yes") if link.is_preferred else "",
                ", ".join(tag.name for tag in link.tags.all()),
                link.people,  # type: ignore[attr-defined]
                link.since,
                link.until,
            ]


class NetworkBulk(NetworkView, View):
    """One act on chosen resellers, or on all that match the filters; always after a confirmation."""

    managers_only = True
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask first, then do it."""
        form, query = BulkForm(request.POST), request.POST.get("query", "")
        back = f"{reverse('network')}?{query}"
        if not form.is_valid():
            messages.error(request, str(next(iter(form.errors.values()))[0]))
            return redirect(back)
        links = list(self._chosen(form.cleaned_data["everything"], query))
        if not links:
            messages.warning(request, _("Choose resellers first."))
            return redirect(back)
        if "confirmed" not in request.POST:
            words = dict(BulkForm.ACTIONS)[form.cleaned_data["action"]]
            context = {"form": form, "links": links, "query": query, "words": words, "back": back}
            return render(request, "accounts/network/bulk.html", context | {"title": words})
        count = self._act(links, form.cleaned_data["action"], form.cleaned_data["name"])
        messages.success(request, ngettext("%(n)d reseller changed.", "%(n)d resellers changed.", count) % {"n": count})
        return redirect(back)

    def _chosen(self, everything: bool, query: str) -> QuerySet[NetworkLink]:
        if not everything:
            return self.links().filter(pk__in=[pk for pk in self.request.POST.getlist("row") if pk.isdigit()][:500])
        shown = NetworkList()
        shown.request = _as_get(self.request, query)
        return shown.get_queryset()

    def _act(self, links: list[NetworkLink], action: str, name: str) -> int:
        user: Any = self.request.user
        if action == "tag":
            return network.tag(links, name, by=user)
        if action == "untag":
            return network.untag(links, name, by=user)
        return network.set_status(links, LinkStatus(action), by=user)


def _as_get(request: HttpRequest, query: str) -> HttpRequest:
    """``request`` as if it had asked for the list with ``query``."""
    request.GET = QueryDict(query)
    return request


# --- one reseller ------------------------------------------------------------------------------------------------
class ResellerDetail(NetworkView, View):
    """A reseller as this distributor knows it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Facts, people, invitations."""
        link = self.get_link(pk)
        contacts = Contact.objects.visible_to(request.user).filter(owner=self.owner, organization=link.downstream)
        invited = Invitation.objects.filter(
            organization=link.downstream, invited_by_organization=self.owner, revoked_at=None
        )
        context = {
            "link": link,
            "people": network.with_standing(self.owner, contacts),
            "invitations": list(invited.order_by("-sent_at")),
            "title": link.display_name,
            "crumbs": [(_("Network"), reverse("network"))],
        }
        return render(request, "accounts/network/detail.html", context)


class ResellerAdd(NetworkView, CreateView):
    """Take a reseller into the network by hand."""

    managers_only = True
    form_class = NewResellerForm
    template_name = "accounts/network/form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        return super().get_context_data(
            title=_("Add a reseller"),
            purpose=_("For many at once, import a file."),
            submit=_("Add"),
            crumbs=[(_("Network"), reverse("network"))],
            cancel_url=reverse("network"),
            **kwargs,
        )

    def form_valid(self, form: NewResellerForm) -> HttpResponse:
        """Add it; one that is there already is shown instead."""
        known = form.known()
        try:
            link = network.add_reseller(
                self.owner,
                name=known.pop("name_as_known"),
                country=form.cleaned_data["country"],
                domain=form.cleaned_data["website"],
                tags=form.cleaned_data["tags"],
                by=self.request.user,  # type: ignore[arg-type]
                **known,
            )
        except network.AlreadyThere as error:
            form.add_error("name_as_known", str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("Added. Now add the people there."))
        return redirect("network_reseller", link.pk)


class ResellerEdit(NetworkView, UpdateView):
    """Change what this distributor knows of a reseller."""

    managers_only = True
    form_class = ResellerForm
    template_name = "accounts/network/form.html"

    def get_queryset(self) -> QuerySet[NetworkLink]:
        """Own links only."""
        return self.links().prefetch_related("tags")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        url = reverse("network_reseller", args=[self.object.pk])
        name = NetworkLink.objects.select_related("downstream").get(pk=self.object.pk).display_name
        return super().get_context_data(
            title=_("Edit %s") % name,
            purpose=_("Only your organization sees this."),
            submit=_("Save"),
            crumbs=[(_("Network"), reverse("network")), (name, url)],
            cancel_url=url,
            **kwargs,
        )

    def form_valid(self, form: ResellerForm) -> HttpResponse:
        """Save."""
        link = self.get_link(self.object.pk)  # fresh: the form wrote its values into its own
        network.edit_reseller(link, form.known(), tags=form.cleaned_data["tags"], by=self.request.user)  # type: ignore[arg-type]
        messages.success(self.request, _("Saved."))
        return redirect("network_reseller", link.pk)


class ResellerStatus(NetworkView, View):
    """Pause, resume or end the relation with one reseller; ending asks first."""

    managers_only = True
    statuses: ClassVar[dict[str, LinkStatus]] = {
        "pause": LinkStatus.PAUSED,
        "resume": LinkStatus.ACTIVE,
        "end": LinkStatus.ENDED,
    }

    def get(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Ask before ending; the others are undone as easily as done."""
        link = self.get_link(pk)
        if act != "end":
            return HttpResponseNotAllowed(["POST"])
        return render(request, "accounts/network/end.html", {"link": link, "crumbs": _crumbs(link)})

    def post(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Do it."""
        network.set_status([self.get_link(pk)], self.statuses[act], by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Done."))
        return redirect("network_reseller", pk)


class ResellerInvite(NetworkView, View):
    """Invite a contact to the portal, as the reseller's first person."""

    managers_only = True
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, contact: int) -> HttpResponse:
        """Send the invitation, or say why not."""
        link = self.get_link(pk)
        known = Contact.objects.visible_to(request.user).filter(owner=self.owner, organization=link.downstream)
        person = get_object_or_404(known.select_related("address"), pk=contact)
        try:
            invitations.invite(link.downstream, person.address.email, by=request.user, name=person.name)  # type: ignore[arg-type]
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": person.address.email})
        except NotAllowed as error:
            messages.error(request, str(error))
        return redirect("network_reseller", pk)


def _crumbs(link: NetworkLink) -> list[tuple[str, str]]:
    return [(gettext("Network"), reverse("network")), (link.display_name, reverse("network_reseller", args=[link.pk]))]


# --- tags --------------------------------------------------------------------------------------------------------
class Tags(NetworkView, FormView):
    """The words this distributor sorts its network by."""

    form_class = TagForm
    template_name = "accounts/network/tags.html"
    success_url = reverse_lazy("network_tags")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tags and how many resellers have each."""
        tags = NetworkTag.objects.visible_to(self.request.user).filter(owner=self.owner)
        return super().get_context_data(
            tags=tags.annotate(resellers=Count("links")).order_by(Lower("name")),
            title=_("Tags"),
            purpose=_("Words of your own; only your organization sees them."),
            crumbs=[(_("Network"), reverse("network"))],
            **kwargs,
        )

    def form_valid(self, form: TagForm) -> HttpResponse:
        """Add a tag; one that is there already stays."""
        network.add_tag(self.owner, form.cleaned_data["name"], by=self.request.user)  # type: ignore[arg-type]
        return super().form_valid(form)


class TagEdit(NetworkView, UpdateView):
    """Rename or delete one tag."""

    managers_only = True
    form_class = TagForm
    template_name = "accounts/network/tag.html"
    success_url = reverse_lazy("network_tags")

    def get_queryset(self) -> QuerySet[NetworkTag]:
        """Own tags only."""
        own = NetworkTag.objects.visible_to(self.request.user).filter(owner=self.owner)
        return own.select_related("owner").annotate(resellers=Count("links"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        crumbs = [(_("Network"), reverse("network")), (_("Tags"), reverse("network_tags"))]
        return super().get_context_data(title=_("Edit tag"), crumbs=crumbs, **kwargs)

    def form_valid(self, form: TagForm) -> HttpResponse:
        """Rename, unless deleting was asked for."""
        if "delete" in self.request.POST:
            network.delete_tag(self.object, by=self.request.user)  # type: ignore[arg-type]
            messages.success(self.request, _("The tag was deleted."))
            return redirect("network_tags")
        try:
            network.rename_tag(self.object, form.cleaned_data["name"], by=self.request.user)  # type: ignore[arg-type]
        except network.AlreadyThere as error:
            form.add_error("name", str(error))
            return self.form_invalid(form)
        return redirect("network_tags")


# --- for the vendor ----------------------------------------------------------------------------------------------
class OrganizationsExport(PortalView, View):
    """Organizations of the installation as a file, for vendor staff: no people, no distributor's own knowledge."""

    kinds = frozenset({OrganizationKind.VENDOR})

    def get(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """One row per organization; how many serve it, not who."""
        return exports.response(self._rows(), "organizations", kind)

    def _rows(self) -> Iterator[list[Any]]:
        yield [_("Organization"), _("Kind"), _("Country code"), _("Active links upstream"), _("In the portal since")]
        active = Count("upstream_links", filter=Q(upstream_links__status=LinkStatus.ACTIVE))
        organizations = (
            Organization.objects.visible_to(self.request.user).annotate(active=active).order_by("kind", "pk")
        )
        for row in organizations.iterator(chunk_size=500):
            yield [row.name, row.get_kind_display(), row.country, row.active, row.created_at.date()]
