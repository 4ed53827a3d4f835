"""The vendor's distributors, inside the Wagtail admin: list, add, tags, pause and end, invite."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView, WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import HeaderButton

from accounts import distributors, invitations
from accounts.choices import countries, languages, timezones
from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import NetworkLink, User
from accounts.policies import NotAllowed


class VendorOnly(WagtailAdminTemplateMixin):
    """For the vendor's staff; each verb asks again whether they manage the vendor."""

    request: HttpRequest
    header_icon = "group"

    @property
    def user(self) -> User:
        """Who looks; the admin lets nobody in who is not signed in."""
        return self.request.user  # type: ignore[return-value]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let vendor staff in; say on the list what a verb refuses."""
        if not self.user.is_vendor:
            raise PermissionDenied
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotAllowed as error:
            messages.error(request, str(error))
            return redirect("distributors:index")

    def links(self) -> QuerySet[NetworkLink]:
        """The vendor's links to distributors."""
        return NetworkLink.objects.filter(
            upstream__kind=OrganizationKind.VENDOR, downstream__kind=OrganizationKind.DISTRIBUTOR
        ).select_related("downstream")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        """Home, distributors, this step."""
        items = [*self.breadcrumbs_items, {"url": reverse("distributors:index"), "label": _("Distributors")}]
        if (title := str(self.get_page_title())) != items[-1]["label"]:
            items.append({"url": "", "label": title})
        return items


class DistributorList(VendorOnly, BaseListingView):
    """Every distributor with tags, state and people. Constant queries."""

    page_title = gettext_lazy("Distributors")
    index_url_name = "distributors:index"
    index_results_url_name = "distributors:index_results"
    template_name = "wagtailadmin/generic/listing.html"
    results_template_name = "wagtailadmin/generic/listing_results.html"
    is_searchable = True
    paginate_by = 50
    default_ordering = "downstream__name"
    columns = [
        TitleColumn(
            "downstream", label=gettext_lazy("Distributor"), url_name="distributors:edit", sort_key="downstream__name"
        ),
        Column("country", label=gettext_lazy("Country"), accessor=lambda link: link.downstream.country),
        Column("tags", label=gettext_lazy("Tags"), accessor=lambda link: ", ".join(t.name for t in link.tags.all())),
        Column("status", label=gettext_lazy("Status"), accessor="get_status_display", sort_key="status"),
        Column("people", label=gettext_lazy("People"), accessor="people", sort_key="people"),
    ]

    def get_base_queryset(self) -> QuerySet[NetworkLink]:
        """All of them, with the number of their people."""
        return (
            self.links()
            .prefetch_related("tags")
            .annotate(people=Count("downstream__memberships", distinct=True))
            .order_by("downstream__name", "pk")
        )

    def search_queryset(self, queryset: QuerySet[NetworkLink]) -> QuerySet[NetworkLink]:
        """By name, country or tag."""
        words = self.search_query
        if not words:
            return queryset
        found = self.links().filter(
            Q(downstream__name__icontains=words) | Q(downstream__country__iexact=words) | Q(tags__name__icontains=words)
        )
        return queryset.filter(pk__in=found.values("pk"))

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """Add one."""
        return [HeaderButton(_("Add a distributor"), url=reverse("distributors:add"), icon_name="plus")]


class DistributorForm(forms.Form):
    """What the vendor decides about a distributor."""

    tags = forms.CharField(
        required=False, max_length=300, label=gettext_lazy("Tags"), help_text=gettext_lazy("Separated by commas.")
    )

    def clean_tags(self) -> list[str]:
        """The single words."""
        return [word.strip() for word in self.cleaned_data["tags"].split(",") if word.strip()]


class NewDistributorForm(DistributorForm):
    """A distributor and its first person."""

    name = forms.CharField(max_length=200, label=gettext_lazy("Name"))
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    language = forms.ChoiceField(label=gettext_lazy("Language"))
    timezone_name = forms.ChoiceField(label=gettext_lazy("Timezone"), initial="UTC")
    owner_email = forms.EmailField(
        label=gettext_lazy("First person's e-mail"),
        help_text=gettext_lazy("Gets an invitation, becomes the owner and invites the others."),
    )
    field_order = ("name", "country", "language", "timezone_name", "tags", "owner_email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = languages()  # type: ignore[attr-defined]
        self.fields["country"].choices = countries()  # type: ignore[attr-defined]
        self.fields["timezone_name"].choices = timezones()  # type: ignore[attr-defined]


class DistributorAdd(VendorOnly, FormView):
    """Take a distributor in."""

    page_title = gettext_lazy("Add a distributor")
    form_class = NewDistributorForm
    template_name = "accounts/admin/distributor.html"
    success_url = reverse_lazy("distributors:index")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Create and invite, or say at the address what is wrong with it."""
        try:
            link = distributors.add_distributor(**form.cleaned_data, by=self.user)
        except ValidationError as error:
            form.add_error("owner_email", error)
            return self.form_invalid(form)
        messages.success(
            self.request,
            _("%(name)s is added; %(email)s got an invitation.")
            % {"name": link.downstream.name, "email": form.cleaned_data["owner_email"]},
        )
        return super().form_valid(form)


class DistributorEdit(VendorOnly, FormView):
    """Tags, state and invitations of one distributor."""

    form_class: type[forms.Form] = DistributorForm
    template_name = "accounts/admin/distributor.html"
    success_url = reverse_lazy("distributors:index")

    @cached_property
    def link(self) -> NetworkLink:
        """The one in the address."""
        return get_object_or_404(self.links(), pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        """Its name."""
        return self.link.downstream.name

    def get_initial(self) -> dict[str, Any]:
        """Its tags."""
        return {"tags": ", ".join(tag.name for tag in self.link.tags.all())}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Its people and what can be done about the relation."""
        return super().get_context_data(**kwargs) | {
            "link": self.link,
            "members": self.link.downstream.memberships.select_related("user").order_by("user__name", "pk"),
            "moves": [status for status in LinkStatus if status not in {LinkStatus.INVITED, self.link.status}],
        }

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Save the tags."""
        distributors.set_tags(self.link, form.cleaned_data["tags"], by=self.user)
        messages.success(self.request, _("Saved."))
        return super().form_valid(form)


class StatusForm(forms.Form):
    """Where a relation goes."""

    status = forms.ChoiceField(choices=[(s.value, s.label) for s in LinkStatus if s != LinkStatus.INVITED])


class DistributorStatus(DistributorEdit):
    """Pause, resume or end the relation."""

    form_class: type[forms.Form] = StatusForm
    http_method_names = ["post"]

    def get_initial(self) -> dict[str, Any]:
        """Nothing to start from."""
        return {}

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Move it and stay on the page."""
        distributors.set_status(self.link, LinkStatus(form.cleaned_data["status"]), by=self.user)
        messages.success(self.request, _("The relation is now: %s.") % self.link.get_status_display())
        return redirect("distributors:edit", self.link.pk)


class InviteForm(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(label=gettext_lazy("E-mail"))


class DistributorInvite(DistributorStatus):
    """Invite somebody of a distributor; its owner when it has none yet."""

    form_class = InviteForm

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Send it, or say why not."""
        try:
            invitations.invite(self.link.downstream, form.cleaned_data["email"], by=self.user)
        except ValidationError as error:
            messages.error(self.request, "; ".join(error.messages))
        except NotAllowed as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, _("Invited: %s.") % form.cleaned_data["email"])
        return redirect("distributors:edit", self.link.pk)

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """Say what is wrong with the address."""
        messages.error(self.request, "; ".join(map(str, form.errors["email"])))
        return redirect("distributors:edit", self.link.pk)
