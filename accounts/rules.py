"""The rules of this app's models: who may do what to organizations and memberships."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.enums import MANAGING_ROLES, LinkStatus, OrganizationKind, Role
from accounts.models import Contact, Membership, NetworkImport, NetworkLink, NetworkTag, Organization, User
from accounts.policies import Decision, Policy, register


class OrganizationPolicy(Policy):
    """view · edit, manage (owners and managers) · manage_people (owners) · invite (owners; upstreams in part).

    The vendor may invite to a distributor only while nobody owns it: afterwards the distributor's people are the
    distributor's own business. A distributor may invite its contacts at a reseller it serves (invitations.py).
    """

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """See the class."""
        if action == "view":
            return super().decide(user, action, obj)
        role = Membership.objects.filter(user=user, organization=obj).values_list("role", flat=True).first()
        if action in {"edit", "manage", "audit"}:
            return Decision(role in MANAGING_ROLES, (_("Only its owners and managers may do this."),))
        if action == "manage_people":
            return Decision(role == Role.OWNER, (_("Only its owners may do this."),))
        if action == "invite":
            return self._invite(user, obj, role)
        return super().decide(user, action, obj)

    def _invite(self, user: User, organization: Organization, role: str | None) -> Decision:
        if role == Role.OWNER:
            return Decision(True, (_("They are an owner."),))
        if organization.kind == OrganizationKind.RESELLER:
            return Decision(
                upstream_that_may_invite(user, organization) is not None,
                (_("Only its owners, and managers of a distributor that serves it, may invite."),),
            )
        if organization.kind == OrganizationKind.DISTRIBUTOR and user.is_vendor:
            owned = organization.memberships.filter(role=Role.OWNER, user__is_active=True).exists()
            return Decision(
                not owned and _manages_vendor(user),
                (_("The vendor may invite only while the organization has no owner."),),
            )
        return Decision(False, (_("Only its owners may invite."),))


def upstream_that_may_invite(user: User, reseller: Organization) -> Organization | None:
    """The distributor in whose name ``user`` may invite people of ``reseller``; None without one."""
    link = (
        NetworkLink.objects.filter(
            downstream=reseller,
            status=LinkStatus.ACTIVE,
            upstream__kind=OrganizationKind.DISTRIBUTOR,
            upstream__memberships__user=user,
            upstream__memberships__role__in=MANAGING_ROLES,
        )
        .select_related("upstream")
        .order_by("pk")
        .first()
    )
    return link.upstream if link else None


def _manages_vendor(user: User) -> bool:
    return (
        user.is_superuser
        or user.memberships.filter(organization__kind=OrganizationKind.VENDOR, role__in=MANAGING_ROLES).exists()
    )


class OwnedRowPolicy(Policy):
    """view (members of the owner) · edit (its owners and managers): links, tags, contacts, imports."""

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """See the class."""
        if action == "edit":
            managed = user.manages(getattr(obj, obj.owner_field))
            return Decision(managed, (_("Only owners and managers of the organization it belongs to may do this."),))
        return super().decide(user, action, obj)


def register_rules() -> None:
    """Make the policies known; called when the apps are ready."""
    register(Organization, OrganizationPolicy())
    for model in (NetworkLink, NetworkTag, Contact, NetworkImport):
        register(model, OwnedRowPolicy())
