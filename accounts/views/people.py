"""The organization acted for: what it says about itself, its people, its log."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, ListView, UpdateView, View

from accounts import audit, invitations, memberships
from accounts.enums import Role
from accounts.forms.people import InviteForm, OrganizationForm, RoleForm
from accounts.models import AuditEvent, Invitation, Membership, Organization
from accounts.people import LastOwner
from accounts.policies import NotAllowed, can, require
from accounts.portal import PortalView


class OwnOrganizationView(PortalView):
    """A page about the organization acted for; people without one are refused."""

    def refusal(self) -> str:
        """No organization, no page."""
        return super().refusal() or ("" if self.viewer.organization else _("You do not belong to an organization."))

    @property
    def organization(self) -> Organization:
        """The organization acted for."""
        organization = self.viewer.organization
        assert organization is not None
        return organization


class OrganizationProfile(OwnOrganizationView, UpdateView):
    """Name, country, language, timezone, imprint and privacy notice."""

    managers_only = True
    form_class = OrganizationForm
    template_name = "accounts/organization.html"
    success_url = reverse_lazy("organization")
    extra_context = {
        "title": gettext_lazy("Organization"),
        "purpose": gettext_lazy("What your organization says about itself."),
    }

    def get_object(self, queryset: QuerySet[Organization] | None = None) -> Organization:
        """The one acted for, and no other."""
        return self.organization

    def form_valid(self, form: OrganizationForm) -> HttpResponse:
        """Save, and log which fields changed."""
        require(self.request.user, "edit", self.organization)
        audit.record(
            "organization.changed", by=self.request.user, owner=self.organization, fields=list(form.changed_data)
        )
        messages.success(self.request, _("Saved."))
        return super().form_valid(form)


class People(OwnOrganizationView, ListView):
    """Members and open invitations; owners manage both."""

    template_name = "accounts/people.html"
    context_object_name = "members"
    extra_context = {
        "title": gettext_lazy("People"),
        "purpose": gettext_lazy("Who belongs to your organization in the portal."),
    }

    def get_queryset(self) -> QuerySet[Membership]:
        """Members of the organization acted for, by name."""
        return (
            Membership.objects.visible_to(self.request.user)
            .filter(organization=self.organization)
            .select_related("user")
            .order_by("user__name", "user__email")
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Open and expired invitations; whether the viewer manages people."""
        open_invitations = Invitation.objects.visible_to(self.request.user).filter(
            organization=self.organization, accepted_at=None, revoked_at=None
        )
        return super().get_context_data(
            invitations=open_invitations, manages_people=self.viewer.owns, roles=Role.choices, **kwargs
        )


class Invite(OwnOrganizationView, FormView):
    """Invite somebody by e-mail."""

    form_class = InviteForm
    template_name = "accounts/invite.html"
    success_url = reverse_lazy("people")
    extra_context = {
        "title": gettext_lazy("Invite a person"),
        "purpose": gettext_lazy("They get an e-mail with a link that works for 14 days."),
    }

    def refusal(self) -> str:
        """Owners only."""
        reason = super().refusal()
        if reason or can(self.request.user, "manage_people", self.organization):
            return reason
        return _("Only owners may invite people.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The way back."""
        return super().get_context_data(crumbs=[(_("People"), reverse("people"))], **kwargs)

    def form_valid(self, form: InviteForm) -> HttpResponse:
        """Send it; refusals stand at the field."""
        try:
            invitations.invite(self.organization, by=self.request.user, **form.cleaned_data)  # type: ignore[arg-type]
        except (NotAllowed, ValidationError) as error:
            form.add_error("email", error if isinstance(error, ValidationError) else str(error))
            return self.form_invalid(form)
        messages.success(
            self.request, _("The invitation to %(email)s is on its way.") % {"email": form.cleaned_data["email"]}
        )
        return super().form_valid(form)


class MemberAction(OwnOrganizationView, View):
    """What may be done to one member of the organization acted for."""

    def get_member(self, pk: int) -> Membership:
        """404 for anybody else's members."""
        members = Membership.objects.visible_to(self.request.user).filter(organization=self.organization)
        return get_object_or_404(members.select_related("user", "organization"), pk=pk)


class MemberRole(MemberAction):
    """Give a member another role."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change it, or say why not."""
        member, form = self.get_member(pk), RoleForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a role."))
            return redirect("people")
        try:
            memberships.change_role(member, form.cleaned_data["role"], by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("%(name)s has a new role.") % {"name": member.user})
        except LastOwner as error:
            messages.error(request, str(error))
        return redirect("people")


class MemberRemove(MemberAction):
    """End a membership, after a confirmation; also one's own."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask."""
        member = self.get_member(pk)
        context = {
            "member": member,
            "is_self": member.user_id == request.user.pk,
            "crumbs": [(_("People"), reverse("people"))],
        }
        return render(request, "accounts/member_remove.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove, or say why not."""
        member = self.get_member(pk)
        try:
            memberships.remove(member, by=request.user)  # type: ignore[arg-type]
        except LastOwner as error:
            messages.error(request, str(error))
            return redirect("people")
        messages.success(request, _("%(name)s no longer belongs to your organization.") % {"name": member.user})
        return redirect("profile" if member.user_id == request.user.pk else "people")


class InvitationAction(OwnOrganizationView, View):
    """What may be done to one invitation of the organization acted for."""

    http_method_names = ["post"]

    def get_invitation(self, pk: int) -> Invitation:
        """404 for anybody else's invitations."""
        own = Invitation.objects.visible_to(self.request.user).filter(organization=self.organization)
        return get_object_or_404(own.select_related("organization", "invited_by_organization"), pk=pk)


class InvitationResend(InvitationAction):
    """A new link by mail."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it again, or say why not."""
        invitation = self.get_invitation(pk)
        try:
            invitations.resend(invitation, by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("Sent again. The link in the earlier mail no longer works."))
        except invitations.TooSoon as error:
            messages.warning(request, str(error))
        except invitations.InvalidInvitation:
            messages.error(request, _("This invitation has ended."))
        return redirect("people")


class InvitationRevoke(InvitationAction):
    """End an invitation."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Revoke it, or say why not."""
        try:
            invitations.revoke(self.get_invitation(pk), by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("The invitation was taken back; its link no longer works."))
        except invitations.InvalidInvitation:
            messages.error(request, _("It was accepted in the meantime."))
        return redirect("people")


class AuditLog(OwnOrganizationView, ListView):
    """Who changed what in the organization acted for."""

    managers_only = True
    template_name = "accounts/audit.html"
    paginate_by = 50
    context_object_name = "events"
    extra_context = {
        "title": gettext_lazy("Activity log"),
        "purpose": gettext_lazy("Who changed people, settings and rights in your organization."),
    }

    def get_queryset(self) -> QuerySet[AuditEvent]:
        """Newest first."""
        own = AuditEvent.objects.visible_to(self.request.user).filter(owner=self.organization)
        return own.select_related("actor")
