"""What became of a hop's sendings, as its distributor may see it.

Everything goes through the *apparent* state of a delivery: a person whom another sender reached with the same item
looks like everybody else, in every number, list and file.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext as _

from accounts.models import NetworkLink
from cascade.delivery import with_apparent_state
from cascade.enums import (
    CLAIMING_KINDS,
    DeliveryState,
    Evidence,
    LedgerKind,
    WaveState,
)
from cascade.models import Completion, Delivery, Edge, Hop, LedgerEvent, OrganizationCompletion, Wave
from cascade.waves import Progress


# --- progress of one wave ----------------------------------------------------------------------------------------
def bar(progress: Progress) -> list[tuple[str, str, int]]:
    """The progress bar's pieces: label, tone, number of people. They add up to everybody who is mailed."""
    always = [
        (_("Sent"), "ok", progress.sent),
        (_("Waiting"), "neutral", progress.waiting + progress.retrying),
    ]
    sometimes = [
        (_("Failed"), "danger", progress.failed),
        (_("Unconfirmed"), "warn", progress.unconfirmed),
        (_("Cancelled"), "neutral", progress.cancelled),
    ]
    return always + [part for part in sometimes if part[2]]


def is_moving(wave: Wave, progress: Progress) -> bool:
    """Whether a screen that shows ``wave`` has to look again soon."""
    about_to = wave.state == WaveState.SCHEDULED and wave.undo_until is not None
    return about_to or wave.state in {WaveState.FROZEN, WaveState.SENDING} or progress.is_stopping


# --- people ------------------------------------------------------------------------------------------------------
def people(hop: Hop) -> QuerySet[Delivery]:
    """The people the hop brought the item to, one row each, as this distributor may see them.

    Annotated: ``apparent_state``, ``apparent_evidence``, ``apparent_clicked_at``, ``apparent_sent_at``, ``done_at`` and
    ``stage``, the one word that says how far they are.
    """
    rows = Delivery.objects.filter(wave__hop=hop, wave__kind__in=CLAIMING_KINDS)
    # Whoever was not mailed at first and was later has a newer row.
    newer = Delivery.objects.filter(
        wave__hop=hop, wave__kind__in=CLAIMING_KINDS, address=OuterRef("address"), pk__gt=OuterRef("pk")
    )
    return with_outcome(rows.filter(~Exists(newer)))


def with_outcome(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """``rows`` with everything a distributor may know of each; see ``people``."""
    winner = Delivery.objects.filter(
        cascade=OuterRef("cascade"), tier=OuterRef("tier"), person=OuterRef("person"), holds_claim=True
    )
    covered = Q(state=DeliveryState.COVERED)
    turn_passed = covered & Q(passed_at__isnull=False)
    done = Completion.objects.filter(cascade=OuterRef("cascade"), person=OuterRef("person")).values("at")[:1]
    rows = with_apparent_state(rows).annotate(
        apparent_evidence=Case(
            When(turn_passed, then=Coalesce(Subquery(winner.values("evidence")[:1]), Value(""))),
            When(covered, then=Value("")),
            default=F("evidence"),
            output_field=CharField(),
        ),
        apparent_clicked_at=Case(
            When(turn_passed, then=Subquery(winner.values("clicked_at")[:1])),
            When(covered, then=None),
            default=F("clicked_at"),
            output_field=DateTimeField(null=True),
        ),
        apparent_evidence_at=Case(
            When(turn_passed, then=Subquery(winner.values("evidence_at")[:1])),
            When(covered, then=None),
            default=F("evidence_at"),
            output_field=DateTimeField(null=True),
        ),
        apparent_sent_at=Coalesce("passed_at", "sent_at"),
        done_at=Subquery(done),
    )
    return rows.annotate(
        stage=Case(
            When(done_at__isnull=False, then=Value("done")),
            When(apparent_evidence=Evidence.BOUNCED, then=Value("bounced")),
            When(apparent_evidence=Evidence.COMPLAINED, then=Value("complained")),
            When(apparent_state=DeliveryState.SENT, apparent_clicked_at__isnull=False, then=Value("clicked")),
            When(
                apparent_state=DeliveryState.SENT,
                apparent_evidence=Evidence.DELIVERED,
                then=Value("delivered"),
            ),
            default=F("apparent_state"),
            output_field=CharField(),
        )
    )


@dataclass(frozen=True)
class Funnel:
    """People from the audience to the goal."""

    named: int
    sent: int
    delivered: int
    clicked: int
    done: int
    bounced: int
    unconfirmed: int
    not_mailed: int

    @property
    def steps(self) -> list[dict[str, Any]]:
        """For the chart. Delivered: sent and not returned."""
        return [
            {"label": _("Sent"), "value": self.sent},
            {"label": _("Delivered"), "value": self.delivered},
            {"label": _("Clicked"), "value": self.clicked},
            {"label": _("Done"), "value": self.done},
        ]


def funnel(hop: Hop) -> Funnel:
    """Counts over ``people``, in one query."""
    sent = Q(apparent_state=DeliveryState.SENT)
    returned = Q(apparent_evidence=Evidence.BOUNCED)
    clicked = Q(apparent_clicked_at__isnull=False) | Q(done_at__isnull=False)
    counts = people(hop).aggregate(
        named=Count("pk"),
        sent=Count("pk", filter=sent),
        delivered=Count("pk", filter=sent & ~returned),
        clicked=Count("pk", filter=sent & ~returned & clicked),
        done=Count("pk", filter=sent & ~returned & Q(done_at__isnull=False)),
        bounced=Count("pk", filter=returned),
        unconfirmed=Count("pk", filter=Q(apparent_state=DeliveryState.UNCONFIRMED)),
        not_mailed=Count("pk", filter=Q(apparent_state=DeliveryState.SUPPRESSED)),
    )
    return Funnel(**counts)


# --- resellers ---------------------------------------------------------------------------------------------------
RESELLER_SORTS = {
    "name": "shown_name",
    "-name": "-shown_name",
    "people": "people",
    "-people": "-people",
    "done": "done_at",
    "-done": "-done_at",
}
PEOPLE_SORTS = {
    "name": "name",
    "-name": "-name",
    "company": "company",
    "-company": "-company",
    "sent": "apparent_sent_at",
    "-sent": "-apparent_sent_at",
    "done": "done_at",
    "-done": "-done_at",
}


def resellers(hop: Hop) -> QuerySet[Edge]:
    """The resellers the hop gave the item to, with ``shown_name``, ``people``, ``clicked``, ``done_at`` and ``stage``.

    ``stage``: done, clicked, sent, waiting, or not mailed (nobody there could be).
    """
    rows = people(hop).filter(organization=OuterRef("organization")).order_by()
    link = NetworkLink.objects.filter(upstream=hop.organization_id, downstream=OuterRef("organization"))
    done = OrganizationCompletion.objects.filter(cascade=OuterRef("cascade"), organization=OuterRef("organization"))
    known_as = link.values(known=NullIf("name_as_known", Value("")))[:1]
    return (
        Edge.objects.filter(hop=hop)
        .select_related("organization")
        .annotate(
            shown_name=Coalesce(Subquery(known_as), "organization__name"),
            people=_count(rows.exclude(apparent_state=DeliveryState.SUPPRESSED)),
            mailed=_count(rows.filter(apparent_state=DeliveryState.SENT)),
            people_done=_count(rows.filter(done_at__isnull=False)),
            clicked=_count(rows.filter(Q(apparent_clicked_at__isnull=False) | Q(done_at__isnull=False))),
            done_at=Subquery(done.values("at")[:1]),
        )
        .annotate(
            stage=Case(
                When(done_at__isnull=False, then=Value("done")),
                When(clicked__gt=0, then=Value("clicked")),
                When(mailed__gt=0, then=Value("sent")),
                When(people__gt=0, then=Value("queued")),
                default=Value("suppressed"),
                output_field=CharField(),
            )
        )
    )


def _count(rows: QuerySet) -> Coalesce:
    counted = rows.values("organization").annotate(n=Count("pk")).values("n")[:1]
    return Coalesce(Subquery(counted), 0)


# --- one person --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Moment:
    """One line of a person's timeline."""

    at: datetime
    text: str
    note: str = ""


def timeline(hop: Hop, delivery: Delivery) -> list[Moment]:
    """What happened between this hop and one person, oldest first. ``delivery`` comes from ``people``."""
    mine = with_outcome(Delivery.objects.filter(wave__hop=hop, address=delivery.address_id)).select_related("wave")
    moments: list[Moment] = []
    for row in mine:
        moments += _moments_of(row)
    acts = LedgerEvent.objects.filter(
        cascade=hop.cascade_id, hop=hop, person=delivery.person_id, kind__in=_ACTS
    ).values_list("at", "kind")
    moments += [Moment(at, str(LedgerKind(kind).label)) for at, kind in acts]
    if delivery.done_at and all(kind == LedgerKind.UNSUBSCRIBED for _at, kind in acts):
        moments.append(Moment(delivery.done_at, _("Done")))
    return sorted(moments, key=lambda moment: moment.at)


# What a person did, in the words of the ledger.
_ACTS = (
    LedgerKind.READ,
    LedgerKind.ACKNOWLEDGED,
    LedgerKind.REGISTERED,
    LedgerKind.ATTENDED,
    LedgerKind.PASSED,
    LedgerKind.LAUNCHED,
    LedgerKind.UNSUBSCRIBED,
)


def _moments_of(row: Any) -> list[Moment]:
    wave = row.wave
    found = []
    if row.apparent_state == DeliveryState.SUPPRESSED:
        if wave.frozen_at:
            found.append(Moment(wave.frozen_at, _("Not mailed"), row.get_reason_display()))
        return found
    name = wave.get_kind_display()
    if row.apparent_state == DeliveryState.SENT and row.apparent_sent_at:
        found.append(Moment(row.apparent_sent_at, _("Sent"), name))
    elif wave.frozen_at:
        label = str(DeliveryState(row.apparent_state).label)
        found.append(Moment(row.apparent_sent_at or wave.frozen_at, label, row.detail or name))
    if row.apparent_evidence and row.apparent_evidence_at:
        found.append(Moment(row.apparent_evidence_at, str(Evidence(row.apparent_evidence).label)))
    if row.apparent_clicked_at:
        found.append(Moment(row.apparent_clicked_at, _("Clicked")))
    return found
