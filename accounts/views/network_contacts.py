"""Contacts of one reseller, as the distributor acted for knows them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import CreateView, FormView, UpdateView, View

from accounts import network
from accounts.forms.network import BasisForm, ContactForm, NewConsentForm, NewContactForm
from accounts.models import Consent, Contact, NetworkLink
from accounts.views.network import NetworkView


class ContactView(NetworkView):
    """A page about one contact; 404 for anybody else's."""

    managers_only = True

    @cached_property
    def contact(self) -> Contact:
        """The contact of the address bar."""
        own = Contact.objects.visible_to(self.request.user).filter(owner=self.owner)
        return get_object_or_404(
            own.select_related("owner", "organization", "address"),
            pk=self.kwargs["pk"],  # type: ignore[attr-defined]
        )

    @cached_property
    def link(self) -> NetworkLink:
        """The distributor's link to the contact's reseller."""
        return get_object_or_404(self.links(), downstream=self.contact.organization_id)

    def words(self, title: str, purpose: str = "", **more: Any) -> dict[str, Any]:
        """What every page about a contact shows."""
        url = reverse("network_reseller", args=[self.link.pk])
        crumbs = [(_("Network"), reverse("network")), (self.link.display_name, url)]
        return {"title": title, "purpose": purpose, "crumbs": crumbs, "cancel_url": url, **more}

    def back(self) -> HttpResponse:
        """To the reseller."""
        return redirect("network_reseller", self.link.pk)


class ContactAdd(NetworkView, CreateView):
    """Add a person at a reseller."""

    managers_only = True
    form_class = NewContactForm
    template_name = "accounts/network/form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        link = self.get_link(self.kwargs["pk"])
        url = reverse("network_reseller", args=[link.pk])
        return super().get_context_data(
            title=_("Add a person"),
            purpose=_("At %s.") % link.display_name,
            submit=_("Add"),
            crumbs=[(_("Network"), reverse("network")), (link.display_name, url)],
            cancel_url=url,
            **kwargs,
        )

    def form_valid(self, form: NewContactForm) -> HttpResponse:
        """Add them."""
        link = self.get_link(self.kwargs["pk"])
        try:
            network.add_contact(link, **form.cleaned_data, by=self.request.user)  # type: ignore[arg-type]
        except network.AlreadyThere as error:
            form.add_error("email", str(error))
            return self.form_invalid(form)
        messages.success(self.request, _("%s was added.") % form.cleaned_data["name"])
        return redirect("network_reseller", link.pk)


class ContactEdit(ContactView, UpdateView):
    """How the distributor knows this person, and why it may mail them."""

    form_class = ContactForm
    template_name = "accounts/network/contact.html"

    def get_object(self, queryset: QuerySet[Contact] | None = None) -> Contact:
        """An own contact."""
        return self.contact

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Consents on record, and a refusal of this very sender."""
        refusal = network.own_refusal(self.contact)
        kwargs |= {
            "link": self.link,
            "consents": Consent.objects.visible_to(self.request.user)
            .filter(address=self.contact.address, sender=self.owner)
            .select_related("by"),
            "refusal": refusal,
            "can_lift": refusal is not None and refusal.reason in network.LIFTED_BY_EVIDENCE,
            **self.words(self.contact.name, self.contact.address.email),
        }
        return super().get_context_data(**kwargs)

    def form_valid(self, form: ContactForm) -> HttpResponse:
        """Save."""
        network.edit_contact(self.contact, **form.cleaned_data, by=self.request.user)  # type: ignore[arg-type]
        messages.success(self.request, _("Saved."))
        return self.back()


class ContactActive(ContactView, View):
    """Switch a contact off or on."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Do it."""
        network.set_contact_active(self.contact, act == "on", by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Saved."))
        return self.back()


class ContactDelete(ContactView, View):
    """Forget how the distributor knows this person, after a confirmation."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask."""
        return render(request, "accounts/network/contact_delete.html", {"contact": self.contact, **self.words("")})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it."""
        answer = self.back()
        network.delete_contact(self.contact, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("The contact was deleted."))
        return answer


class ContactBasis(ContactView, FormView):
    """Note why a person without a basis may be mailed."""

    form_class = BasisForm
    template_name = "accounts/network/form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        words = self.words(_("Why may you mail %s?") % self.contact.name, _("Without a basis nobody is mailed."))
        return super().get_context_data(**words, submit=_("Record"), **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it."""
        network.record_basis(self.contact, **form.cleaned_data, by=self.request.user)  # type: ignore[arg-type]
        messages.success(self.request, _("Recorded."))
        return self.back()


class ContactResubscribe(ContactView, FormView):
    """The person asked to get mail again: note how one knows."""

    form_class = NewConsentForm
    template_name = "accounts/network/form.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Words."""
        words = self.words(
            _("%s wants your mail again?") % self.contact.name,
            _("They unsubscribed. Only go on if they asked you to; what you write is kept as evidence."),
        )
        return super().get_context_data(**words, submit=_("Record new consent"), **kwargs)

    def form_valid(self, form: Form) -> HttpResponse:
        """Record it."""
        network.record_new_consent(self.contact, form.cleaned_data["evidence"], by=self.request.user)  # type: ignore[arg-type]
        messages.success(self.request, _("Recorded. %s gets your mail again.") % self.contact.name)
        return self.back()
