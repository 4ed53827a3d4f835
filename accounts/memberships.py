"""Who belongs to an organization, in which role, and for which one a person acts."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.enums import Role
from accounts.models import Membership, Organization, User
from accounts.people import LastOwner, other_owners
from accounts.policies import NotAllowed, require
from accounts.viewer import Viewer


@transaction.atomic
def change_role(membership: Membership, role: str, *, by: User) -> None:
    """Give a member another role; the same role again changes nothing.

    Raises NotAllowed unless ``by`` owns the organization, LastOwner for its only owner.
    """
    require(by, "manage_people", membership.organization)
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    if membership.role == role:
        return
    _keep_an_owner(membership)
    former, membership.role = membership.role, Role(role)
    membership.save(update_fields=["role"])
    audit.record(
        "membership.role_changed",
        by=by,
        owner=membership.organization,
        obj=membership,
        user=membership.user_id,
        former=str(former),
        role=str(role),
    )


@transaction.atomic
def remove(membership: Membership, *, by: User) -> None:
    """End a membership; the account and what the person did stay. One may always leave oneself.

    Raises NotAllowed unless ``by`` owns the organization or is the member, LastOwner for its only owner.
    """
    if membership.user_id != by.pk:
        require(by, "manage_people", membership.organization)
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    _keep_an_owner(membership)
    audit.record(
        "membership.removed", by=by, owner=membership.organization, user=membership.user_id, role=membership.role
    )
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    """Owners are locked while we count, so that two of them cannot step back in the same second."""
    owners = Membership.objects.select_for_update().filter(organization=membership.organization_id, role=Role.OWNER)
    list(owners)
    if membership.role == Role.OWNER and not other_owners(membership).exists():
        raise LastOwner(_("An organization needs an owner. Make somebody else an owner first."))


def choices_for(viewer: Viewer) -> list[Organization]:
    """What a person may switch between: their organizations and their resellers' distributors, where there are several.

    Empty when there is nothing to choose.
    """
    organizations = viewer.organizations if len(viewer.organizations) > 1 else []
    distributors = viewer.distributors if len(viewer.distributors) > 1 else []
    return list({choice.pk: choice for choice in [*organizations, *distributors]}.values())


def switch(viewer: Viewer, organization: Organization) -> None:
    """Act for ``organization``, or look through this distributor, from now on. Raises NotAllowed for any other."""
    if organization.pk not in {choice.pk for choice in [*viewer.organizations, *viewer.distributors]}:
        raise NotAllowed(_("You do not belong to this organization."))
    User.objects.filter(pk=viewer.user.pk or 0).update(active_organization=organization)
