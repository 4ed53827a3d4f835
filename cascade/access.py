"""Which cascadable pages were passed on to a person: distributors see through a hop, resellers through an edge.

A closed cascade stays readable. A recalled one counts no longer; where it was the only one, the page is gone for them
(the portal leaves a tombstone). A draft was never offered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import Organization
from cascade.enums import CascadeState, HopState, Tier
from cascade.interfaces import CascadablePage
from cascade.models import Cascade, CascadeContent, Edge, Hop
from cms.access import register_provider

if TYPE_CHECKING:
    from wagtail.models import Page

    from accounts.models import User

READABLE = frozenset({CascadeState.OPEN, CascadeState.CLOSED})


def pages_passed_on_to(user: User) -> QuerySet:
    """Ids of cascadable pages ``user`` may see, as a subquery.

    A distributor that declined still sees the item, as it may change its mind; one whose link to the vendor ended
    does not. A reseller sees what it was given, also after it left that distributor's network: it was sent to it.
    """
    if not user.is_active:
        return CascadeContent.objects.none().values("page_id")
    mine = user.memberships.values("organization_id")
    current = Organization.objects.filter(
        upstream_links__upstream__kind=OrganizationKind.VENDOR,
        upstream_links__status__in=[LinkStatus.ACTIVE, LinkStatus.PAUSED],
    )
    hops = (
        Hop.objects.of_distributors()
        .exclude(state=HopState.RECALLED)
        .filter(organization__in=mine)
        .filter(organization__in=current.values("pk"))
    )
    edges = Edge.objects.filter(hop__tier=Tier.RESELLERS, organization__in=mine)
    readable = Cascade.objects.filter(
        Q(pk__in=hops.values("cascade_id")) | Q(pk__in=edges.values("cascade_id")), state__in=READABLE
    )
    return CascadeContent.objects.filter(cascade__in=readable.values("pk")).values("page_id")


def organizations_given(page: Page) -> QuerySet[Organization]:
    """Distributors to whom ``page`` was offered and resellers to whom it was given, in cascades that may be read."""
    cascades = Cascade.objects.filter(state__in=READABLE, contents__page=page.pk).values("pk")
    hops = Hop.objects.of_distributors().exclude(state=HopState.RECALLED).filter(cascade__in=cascades)
    edges = Edge.objects.filter(cascade__in=cascades, hop__tier=Tier.RESELLERS)
    return Organization.objects.filter(
        Q(pk__in=hops.values("organization_id")) | Q(pk__in=edges.values("organization_id"))
    )


def register() -> None:
    """Let ``cms.access`` ask us about every kind of page that is cascaded."""
    register_provider(CascadablePage, pages_passed_on_to, organizations_given)
