"""A distributor's inbox: what was offered to it, sorted into what needs somebody, what was sent, and what is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.paginator import Page as ListPage
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from wagtail.models import Page

from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import Contact, NetworkLink
from cascade.audience import Audience
from cascade.enums import CascadeState, HopState, WaveState
from cascade.hops import HopStatus, hop_statuses
from cascade.models import CascadeContent, Hop, Wave
from cms.effective import effective_many

if TYPE_CHECKING:
    from accounts.models import Organization, User
    from cascade.models.releases import HopQuerySet

PER_PAGE = 20
TABS = ("open", "sent", "closed")


@dataclass(frozen=True)
class Reach:
    """How many an organization could reach at most: its resellers and the people it knows there."""

    resellers: int
    people: int


@dataclass(frozen=True)
class Card:
    """One hop as the inbox shows it."""

    hop: Hop
    status: HopStatus
    languages: tuple[str, ...]
    reach: Reach | None  # None once something was sent, or where the audience was narrowed

    @property
    def is_late(self) -> bool:
        """Whether its day to pass on has gone by."""
        return self.status.value == "overdue"


@dataclass(frozen=True)
class Inbox:
    """One page of one tab, with how many there are in each tab."""

    cards: list[Card]
    page: ListPage
    counts: dict[str, int]  # tab → items, all pages, without the search
    need: int


def _sorted_into_tabs(hops: HopQuerySet) -> HopQuerySet:
    """``hops`` annotated with what decides their tab."""
    waves = Wave.objects.filter(hop=OuterRef("pk"))
    moved = waves.filter(
        Q(state__in=[WaveState.FROZEN, WaveState.SENDING, WaveState.PAUSED, WaveState.DONE])
        | Q(state=WaveState.SCHEDULED, undo_until__isnull=False)
    )
    return hops.annotate(
        has_moved=Exists(moved),
        is_scheduled=Exists(waves.filter(state=WaveState.SCHEDULED)),
        is_paused=Exists(waves.filter(state=WaveState.PAUSED)),
    )


_OVER = Q(cascade__state__in=[CascadeState.CLOSED, CascadeState.RECALLED]) | Q(
    state__in=[HopState.DECLINED, HopState.RECALLED]
)
_SENT = Q(first_sent_at__isnull=False) | Q(has_moved=True)
_TAB = {"open": ~_OVER & ~_SENT, "sent": ~_OVER & _SENT, "closed": _OVER}
_NEEDS = (_TAB["open"] & Q(is_scheduled=False)) | (_TAB["sent"] & Q(is_paused=True))
_ORDER = {
    "open": ("is_scheduled", "cascade__pass_on_by", "pk"),  # overdue ones have the earliest dates
    "sent": ("-first_sent_at", "-pk"),
    "closed": ("-cascade__pass_on_by", "-pk"),
}


def hops_for(user: User, organization: Organization) -> HopQuerySet:
    """What ``user`` may see of what was released to ``organization``."""
    return (
        Hop.objects.visible_to(user)
        .of_distributors()
        .filter(organization=organization)
        .exclude(cascade__state=CascadeState.DRAFT)
    )


def inbox(user: User, organization: Organization, *, tab: str = "open", words: str = "", page: int = 1) -> Inbox:
    """One page of ``tab``, those whose name or reason contain all of ``words``; the same queries for any number."""
    every = _sorted_into_tabs(hops_for(user, organization))
    counts = every.aggregate(need=Count("pk", filter=_NEEDS), **{t: Count("pk", filter=_TAB[t]) for t in TABS})
    found = every.filter(_TAB[tab]).order_by(*_ORDER[tab])
    for word in words.split()[:5]:
        found = found.filter(Q(cascade__name__icontains=word) | Q(cascade__reason__icontains=word))
    contents = CascadeContent.objects.select_related("locale").order_by("locale__language_code")
    found = found.select_related("cascade", "organization").prefetch_related(
        Prefetch("cascade__contents", queryset=contents)
    )
    shown = Paginator(found, PER_PAGE).get_page(page)
    hops = list(shown.object_list)
    statuses = hop_statuses(hops, conflicts=open_conflicts(organization, hops))
    most = reach(organization)
    return Inbox(
        cards=[_card(hop, statuses[hop.pk], most) for hop in hops],
        page=shown,
        counts={t: counts[t] for t in TABS},
        need=counts["need"],
    )


def _card(hop: Hop, status: HopStatus, most: Reach) -> Card:
    languages = tuple(content.locale.get_display_name() for content in hop.cascade.contents.all())
    is_guess = not status.has_sent and Audience.from_json(hop.audience).is_everyone
    return Card(hop, status, languages, most if is_guess and not status.is_over else None)


def reach(organization: Organization) -> Reach:
    """At most how many ``organization`` reaches, in two queries. The audience of a cascade counts exactly."""
    links = NetworkLink.objects.filter(
        upstream=organization, status=LinkStatus.ACTIVE, downstream__kind=OrganizationKind.RESELLER
    )
    people = Contact.objects.filter(
        owner=organization, is_active=True, organization__in=links.values("downstream_id")
    ).aggregate(n=Count("address", distinct=True))
    return Reach(resellers=links.count(), people=people["n"])


def open_conflicts(organization: Organization, hops: Sequence[Hop]) -> dict[int, int]:
    """Zones per hop that the vendor changed after ``organization`` did. Asks only about hops that were adapted."""
    adapted = [hop.pk for hop in hops if hop.adapted_at and hop.cascade.is_open]
    if not adapted:
        return {}
    rows = CascadeContent.objects.filter(cascade__hops__in=adapted).values_list("cascade__hops", "page_id")
    carried = [(hop, page) for hop, page in rows if hop in adapted]
    pages = list(Page.objects.filter(pk__in={page for _hop, page in carried}).specific())
    behind = {
        shown.page.pk: sum(zone.is_behind for zone in shown.zones) for shown in effective_many(pages, organization)
    }
    found: dict[int, int] = {}
    for hop, page in carried:
        found[hop] = found.get(hop, 0) + behind.get(page, 0)
    return found
