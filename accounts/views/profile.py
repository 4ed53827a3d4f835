"""One's own profile and data."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, View

from accounts import audit, memberships, people
from accounts.enums import OrganizationKind
from accounts.forms.profile import DataRequestForm, EraseForm, ProfileForm
from accounts.models import Organization, Person, User
from accounts.policies import NotAllowed
from accounts.portal import PortalView


class Profile(PortalView, FormView):
    """Name, language, timezone; the ways to password, address, data and the organizations."""

    form_class = ProfileForm
    template_name = "accounts/profile.html"
    success_url = reverse_lazy("profile")
    extra_context = {"title": gettext_lazy("Your profile"), "purpose": gettext_lazy("How the portal addresses you.")}

    def get_form_kwargs(self) -> dict[str, Any]:
        """For the signed-in person."""
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The organizations the person belongs to and may switch to."""
        return super().get_context_data(
            memberships=self.viewer.memberships, choices=memberships.choices_for(self.viewer), **kwargs
        )

    def form_valid(self, form: ProfileForm) -> HttpResponse:
        """Save, and answer in the new language."""
        form.save()
        with translation.override(form.cleaned_data["language"] or translation.get_language()):
            messages.success(self.request, _("Saved."))
        return super().form_valid(form)


class ProfileExport(PortalView, View):
    """Everything held about oneself, as a ZIP of JSON files."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Download; noted in the log."""
        return personal_export(request, request.user.person)  # type: ignore[union-attr]


class ProfileErase(PortalView, FormView):
    """Delete one's own account and data, after the password."""

    form_class = EraseForm
    template_name = "accounts/erase.html"
    extra_context = {
        "title": gettext_lazy("Delete your account"),
        "purpose": gettext_lazy("This cannot be undone."),
    }

    def get_form_kwargs(self) -> dict[str, Any]:
        """For the signed-in person."""
        return {**super().get_form_kwargs(), "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What stands in the way."""
        return super().get_context_data(
            sole_ownerships=people.sole_ownerships(cast("User", self.request.user)), **kwargs
        )

    def form_valid(self, form: EraseForm) -> HttpResponse:
        """Erase, sign out, say so."""
        user = form.user
        try:
            people.erase(user.person, by=user)
        except people.LastOwner as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        logout(self.request)
        messages.success(self.request, _("Your account and your data were deleted."))
        return redirect("account_login")


class Switch(PortalView, View):
    """Act for another of one's organizations, or look through another distributor."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remember the choice."""
        organization = next((choice for choice in memberships.choices_for(self.viewer) if choice.pk == pk), None)
        if organization is None:
            raise NotAllowed(_("You do not belong to this organization."))
        memberships.switch(self.viewer, organization)
        messages.success(request, _("You are now looking at %(name)s.") % {"name": organization.name})
        return redirect("home")


class DataRequests(PortalView, FormView):
    """For the vendor's owners: answer somebody who asks for their data, or to be forgotten."""

    kinds = frozenset({OrganizationKind.VENDOR})
    form_class = DataRequestForm
    template_name = "accounts/data_requests.html"
    extra_context = {
        "title": gettext_lazy("Data requests"),
        "purpose": gettext_lazy("When a person asks what you hold about them, or to be forgotten."),
    }

    def refusal(self) -> str:
        """Owners only."""
        return super().refusal() or ("" if self.viewer.owns else _("Only the vendor's owners may open this page."))

    def form_valid(self, form: DataRequestForm) -> HttpResponseBase:  # type: ignore[override]  # a file streams
        """Export, or show the confirmation, or erase."""
        person, action = form.address.person, self.request.POST.get("action")
        if action == "export":
            return personal_export(self.request, person)
        if action == "erase-confirmed":
            people.erase(person, by=self.request.user, force=True)  # type: ignore[arg-type]
            messages.success(self.request, _("Everything about this person was erased."))
            return redirect("data_requests")
        return self.render_to_response(self.get_context_data(form=form, confirm=form.cleaned_data["email"]))


def personal_export(request: HttpRequest, person: Person) -> HttpResponse:
    """The ZIP download, with an entry in the vendor's log."""
    vendor = Organization.objects.filter(kind=OrganizationKind.VENDOR).first()
    audit.record("person.exported", by=request.user, owner=vendor, obj=person)
    response = HttpResponse(people.export_zip(person), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="personal-data.zip"'
    response["Cache-Control"] = "no-store"
    return response
