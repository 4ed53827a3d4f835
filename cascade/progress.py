"""How far a cascade is, for the vendor: distributors and resellers by name, people only as counts.

Everything comes from hops, counters and waves; deliveries are never grouped. E-mails count as *delivered* when they
were sent and have not bounced: a relay says no more, a provider's webhook may later.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cascade import counters
from cascade.enums import CascadeState, CounterName, HopState, Tier, WaveState
from cascade.models import Cascade, Edge, Hop, LedgerEvent, OrganizationCompletion, Wave


class Stage(models.TextChoices):
    """Where a distributor stands in a cascade."""

    OVERDUE = "overdue", _("Overdue")
    OFFERED = "offered", _("Offered")
    READY = "ready", _("Accepted")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DONE = "done", _("Done")
    DECLINED = "declined", _("Declined")
    CLOSED = "closed", _("Not passed on")
    RECALLED = "recalled", _("Recalled")


_STAGE_ORDER = {stage: number for number, stage in enumerate(Stage)}


@dataclass(frozen=True)
class HopRow:
    """One distributor in a cascade."""

    hop: Hop
    stage: Stage
    is_late: bool
    counts: counters.Counts

    @property
    def pk(self) -> int:
        """Of the hop."""
        return self.hop.pk

    @property
    def name(self) -> str:
        """Of the distributor."""
        return self.hop.organization.name

    @property
    def country(self) -> str:
        """ISO 3166 code of the distributor."""
        return self.hop.organization.country

    @property
    def stage_label(self) -> str:
        """The stage in words."""
        return str(self.stage.label)

    @property
    def resellers(self) -> int:
        """Given the item."""
        return self.counts[CounterName.RESELLERS]

    @property
    def resellers_done(self) -> int:
        """That reached the goal."""
        return self.counts[CounterName.RESELLERS_DONE]

    @property
    def people_done(self) -> int:
        """Who reached the goal."""
        return self.counts[CounterName.PEOPLE_DONE]

    @property
    def sent(self) -> int:
        """E-mails that left."""
        return self.counts[CounterName.SENT]

    @property
    def delivered(self) -> int:
        """E-mails that left and have not come back."""
        return self.counts[CounterName.SENT] - self.counts[CounterName.BOUNCED]

    @property
    def failed(self) -> int:
        """E-mails that were refused or whose fate is not known."""
        return self.counts[CounterName.FAILED] + self.counts[CounterName.UNCONFIRMED]

    @property
    def share_done(self) -> float:
        """Of the resellers given the item, 0 to 1; -1 while nobody was given it, so that those sort last."""
        return self.resellers_done / self.resellers if self.resellers else -1.0

    @property
    def percent_done(self) -> int:
        """Rounded down: 100 only when everybody is."""
        return int(100 * max(self.share_done, 0))


SORT_KEYS = {
    "name": lambda row: row.name.casefold(),
    "stage": lambda row: (_STAGE_ORDER[row.stage], row.name.casefold()),
    "resellers": lambda row: row.resellers,
    "delivered": lambda row: row.delivered,
    "done": lambda row: (row.share_done, row.resellers_done),
    "people_done": lambda row: row.people_done,
    "first_sent_at": lambda row: (row.hop.first_sent_at is None, row.hop.first_sent_at or row.hop.offered_at),
}


def hop_rows(cascade: Cascade, *, now: datetime | None = None) -> list[HopRow]:
    """Every distributor of ``cascade``, by name. Three queries, whatever their number."""
    now = now or timezone.now()
    hops = cascade.hops.of_distributors().select_related("organization").order_by("organization__name", "pk")
    counts = counters.read(cascade.hops.of_distributors())
    moving = _moving_waves(cascade)
    return [_row(cascade, hop, counts[hop.pk], moving.get(hop.pk), now) for hop in hops]


def _row(cascade: Cascade, hop: Hop, counts: counters.Counts, moving: Stage | None, now: datetime) -> HopRow:
    has_passed_on = hop.first_sent_at is not None
    is_waiting = hop.state in {HopState.OFFERED, HopState.ACCEPTED} and not has_passed_on and moving is None
    is_late = cascade.is_open and is_waiting and cascade.pass_on_by < now
    return HopRow(hop, _stage(cascade, hop, counts, moving, is_late=is_late), is_late, counts)


def _stage(cascade: Cascade, hop: Hop, counts: counters.Counts, moving: Stage | None, *, is_late: bool) -> Stage:
    resellers, done = counts[CounterName.RESELLERS], counts[CounterName.RESELLERS_DONE]
    if cascade.state == CascadeState.RECALLED or hop.state == HopState.RECALLED:
        return Stage.RECALLED
    if hop.state == HopState.DECLINED:
        return Stage.DECLINED
    if moving is not None:
        return moving
    if hop.first_sent_at is not None:
        return Stage.DONE if resellers and done >= resellers else Stage.SENT
    if not cascade.is_open:
        return Stage.CLOSED
    if is_late:
        return Stage.OVERDUE
    return Stage.READY if hop.state == HopState.ACCEPTED else Stage.OFFERED


def _moving_waves(cascade: Cascade) -> dict[int, Stage]:
    """Hops with a sending ahead or under way; under way wins."""
    states = {
        WaveState.SCHEDULED: Stage.SCHEDULED,
        WaveState.FROZEN: Stage.SENDING,
        WaveState.SENDING: Stage.SENDING,
        WaveState.PAUSED: Stage.SENDING,
    }
    found: dict[int, Stage] = {}
    waves = Wave.objects.filter(hop__cascade=cascade, hop__tier=Tier.RESELLERS, state__in=states)
    for hop_id, state in waves.order_by().values_list("hop_id", "state"):
        if found.get(hop_id) != Stage.SENDING:
            found[hop_id] = states[WaveState(state)]
    return found


# --- the funnel --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """One bar of the funnel: ``value`` of ``of``. ``tone`` names its color: plain, good or bad."""

    name: str
    label: str
    value: int
    of: int
    help: str = ""
    tone: str = "plain"

    @property
    def percent(self) -> int:
        """Rounded down, at most 100."""
        return min(int(100 * self.value / self.of), 100) if self.of else 0


@dataclass(frozen=True)
class StepGroup:
    """Steps that count the same thing."""

    unit: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Funnel:
    """How far a cascade got at each hop. ``groups`` count distributors, e-mails and resellers."""

    cascade: Cascade
    rows: Sequence[HopRow]
    totals: counters.Counts  # the vendor's hop: every reseller and person once
    now: datetime

    @cached_property
    def groups(self) -> tuple[StepGroup, ...]:
        """In the order an item travels."""
        return (
            StepGroup(str(_("Distributors")), self._distributors()),
            StepGroup(str(_("E-mails")), self._mails()),
            StepGroup(str(_("Resellers")), self._resellers()),
        )

    @property
    def steps(self) -> list[Step]:
        """All steps, for the table behind the picture."""
        return [step for group in self.groups for step in group.steps]

    @property
    def late(self) -> list[HopRow]:
        """Distributors past the date that have not passed it on."""
        return [row for row in self.rows if row.is_late]

    @property
    def people_done(self) -> int:
        """Everybody once, however many distributors serve them."""
        return self.totals[CounterName.PEOPLE_DONE]

    @property
    def resellers_overdue(self) -> int:
        """Given the item and not done after the due date."""
        if self.cascade.due_at > self.now:
            return 0
        return self.totals[CounterName.RESELLERS] - self.totals[CounterName.RESELLERS_DONE]

    def _distributors(self) -> tuple[Step, ...]:
        hops = [row.hop for row in self.rows]
        offered = len(hops)
        accepted = sum(hop.state == HopState.ACCEPTED or hop.first_sent_at is not None for hop in hops)
        adapted = sum(hop.adapted_at is not None for hop in hops)
        sent = sum(hop.first_sent_at is not None for hop in hops)
        return (
            Step("offered", str(_("Offered")), offered, offered),
            Step("accepted", str(_("Accepted")), accepted, offered),
            Step("adapted", str(_("Adapted")), adapted, offered, str(_("Changed something; nobody has to."))),
            Step("sent", str(_("Sent")), sent, offered),
            Step("late", str(_("Overdue")), len(self.late), offered, tone="bad"),
        )

    def _mails(self) -> tuple[Step, ...]:
        sent, delivered = sum(row.sent for row in self.rows), sum(row.delivered for row in self.rows)
        failed = sum(row.failed for row in self.rows)
        return (
            Step("mails_sent", str(_("Sent")), sent, sent),
            Step("delivered", str(_("Delivered")), delivered, sent, str(_("Sent and not bounced."))),
            Step("failed", str(_("Failed or unconfirmed")), failed, sent + failed, tone="bad"),
        )

    def _resellers(self) -> tuple[Step, ...]:
        given, done = self.totals[CounterName.RESELLERS], self.totals[CounterName.RESELLERS_DONE]
        return (
            Step("given", str(_("Reached")), given, given, str(_("Each once, whoever serves them."))),
            Step("done", str(_("Done")), done, given, tone="good"),
            Step("overdue", str(_("Overdue")), self.resellers_overdue, given, tone="bad"),
        )


def funnel(cascade: Cascade, *, now: datetime | None = None) -> Funnel:
    """The funnel of ``cascade`` with its distributors. Five queries, whatever their number."""
    now = now or timezone.now()
    vendor_hop = cascade.hops.get(tier=Tier.DISTRIBUTORS)
    totals = counters.read([vendor_hop])[vendor_hop.pk]
    return Funnel(cascade, hop_rows(cascade, now=now), totals, now)


# --- lists -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Summary:
    """A cascade in a list."""

    offered: int = 0
    sent: int = 0
    late: int = 0
    resellers: int = 0
    resellers_done: int = 0

    @property
    def percent_sent(self) -> int:
        """Distributors that passed it on."""
        return int(100 * self.sent / self.offered) if self.offered else 0

    @property
    def percent_done(self) -> int:
        """Resellers that reached the goal."""
        return int(100 * self.resellers_done / self.resellers) if self.resellers else 0


def summaries(cascades: Iterable[Cascade], *, now: datetime | None = None) -> dict[int, Summary]:
    """Numbers for a list of cascades, by id. Three queries, whatever their number."""
    now = now or timezone.now()
    cascades = list(cascades)
    waiting = Q(state__in=[HopState.OFFERED, HopState.ACCEPTED], first_sent_at=None)
    late = waiting & Q(cascade__state=CascadeState.OPEN, cascade__pass_on_by__lt=now)
    hops = Hop.objects.of_distributors().filter(cascade__in=cascades).order_by().values("cascade")
    numbers = {
        row["cascade"]: row
        for row in hops.annotate(
            offered=Count("pk"), sent=Count("pk", filter=Q(first_sent_at__isnull=False)), late=Count("pk", filter=late)
        )
    }
    own = dict(
        Hop.objects.filter(cascade__in=cascades, tier=Tier.DISTRIBUTORS).order_by().values_list("cascade_id", "pk")
    )
    counts = counters.read(own.values())
    nothing: counters.Counts = collections.Counter()
    return {
        cascade.pk: Summary(
            **{name: numbers.get(cascade.pk, {}).get(name, 0) for name in ("offered", "sent", "late")},
            resellers=counts.get(own.get(cascade.pk, 0), nothing)[CounterName.RESELLERS],
            resellers_done=counts.get(own.get(cascade.pk, 0), nothing)[CounterName.RESELLERS_DONE],
        )
        for cascade in cascades
    }


def reseller_edges(hop: Hop) -> QuerySet[Edge]:
    """Resellers ``hop`` gave the item to, with ``done_at`` and ``people_done``; names of organizations, no people."""
    completions = OrganizationCompletion.objects.filter(
        cascade=OuterRef("cascade_id"), organization=OuterRef("organization_id")
    )
    people = (
        LedgerEvent.objects.filter(
            hop=OuterRef("hop_id"), organization=OuterRef("organization_id"), key__startswith=counters.DONE_KEY
        )
        .order_by()
        .values("organization")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return (
        Edge.objects.filter(hop=hop)
        .select_related("organization")
        .annotate(
            done_at=Subquery(completions.values("at")[:1]),
            is_done=Exists(completions),
            people_done=Subquery(people, output_field=models.IntegerField()),
        )
    )
