"""Who looks at a page, and as whom: the person, their organizations, and the brand they look through."""

from __future__ import annotations

import zoneinfo
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings

from accounts.enums import MANAGING_ROLES, LinkStatus, OrganizationKind, Role
from accounts.models import Membership, NetworkLink, Organization

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The timezone ``name``; UTC for an empty or unknown one, so that a page never breaks on it."""
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


class Viewer:
    """The signed-in person of one request. Costs two queries, however large the network.

    ``host_organization`` is the organization whose host name was asked for, if any.
    """

    def __init__(self, user: User | AnonymousUser, host_organization: Organization | None = None) -> None:
        self.user = user
        self.host_organization = host_organization

    @cached_property
    def memberships(self) -> list[Membership]:
        """The person's memberships with organization and brand; empty for anonymous and inactive people."""
        if not self.user.is_authenticated or not self.user.is_active:
            return []
        return list(self.user.memberships.select_related("organization", "organization__brand").order_by("pk"))

    @cached_property
    def organizations(self) -> list[Organization]:
        """Organizations the person belongs to."""
        return [membership.organization for membership in self.memberships]

    @cached_property
    def distributors(self) -> list[Organization]:
        """Distributors that serve the person's reseller through an active link, the preferred first."""
        resellers = [o.pk for o in self.organizations if o.kind == OrganizationKind.RESELLER]
        if not resellers:
            return []
        links = (
            NetworkLink.objects.filter(
                downstream__in=resellers, status=LinkStatus.ACTIVE, upstream__kind=OrganizationKind.DISTRIBUTOR
            )
            .select_related("upstream", "upstream__brand")
            .order_by("-is_preferred", "since", "pk")
        )
        return list({link.upstream_id: link.upstream for link in links}.values())

    @cached_property
    def organization(self) -> Organization | None:
        """The organization the person acts for: their choice when it is still theirs, else the first."""
        chosen = getattr(self.user, "active_organization_id", None)
        return next(
            (o for o in self.organizations if o.pk == chosen), self.organizations[0] if self.organizations else None
        )

    @property
    def kind(self) -> str | None:
        """Kind of the organization acted for; None when there is none."""
        return self.organization.kind if self.organization else None

    @cached_property
    def distributor(self) -> Organization | None:
        """Through whose brand the person looks: their own distributor, or, at a reseller, the one of the host, of
        their choice, or the preferred one. Always checked against the links, at each request."""
        if self.kind == OrganizationKind.DISTRIBUTOR:
            return self.organization
        host = self.host_organization.pk if self.host_organization else None
        chosen = getattr(self.user, "active_organization_id", None)
        for wanted in (host, chosen):
            if found := next((d for d in self.distributors if d.pk == wanted), None):
                return found
        return self.distributors[0] if self.distributors else None

    @property
    def language(self) -> str:
        """The person's own choice, when the portal speaks it; else empty."""
        choice = self.user.person.language if self.user.is_authenticated else ""
        return choice if choice in dict(settings.LANGUAGES) else ""

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        """The person's timezone, else that of the organization they act for, else UTC."""
        name = self.user.person.timezone if self.user.is_authenticated else ""
        return zone(name or (self.organization.timezone if self.organization else ""))

    @property
    def owns(self) -> bool:
        """Whether the person owns the organization they act for, and so manages its people."""
        return any(
            m.organization_id == self.organization.pk and m.role == Role.OWNER
            for m in self.memberships
            if self.organization
        )

    @property
    def can_manage(self) -> bool:
        """Whether the person may send and edit for the organization they act for."""
        return any(
            m.organization_id == self.organization.pk and m.role in MANAGING_ROLES
            for m in self.memberships
            if self.organization
        )
