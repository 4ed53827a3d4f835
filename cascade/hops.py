"""A hop's decisions (accept, decline, withdraw) and the state derived from decisions, waves and dates.

The hop itself stores only what people decided. Everything else (scheduled, sending, sent, overdue …) is computed here,
for one hop or for a page of them, with the same number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import policies
from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import NetworkLink
from cascade.audience import Audience
from cascade.enums import (
    CLAIMING_KINDS,
    PENDING_STATES,
    CascadeState,
    DeliveryState,
    HopState,
    LedgerKind,
    WaveState,
)
from cascade.ledger import record
from cascade.models import Delivery, Edge, Hop, OrganizationCompletion, Wave

if TYPE_CHECKING:
    from accounts.models import User


class NotPossible(Exception):
    """The hop is not in a state that allows this; the text says why and may be shown to the person."""


# --- verbs -----------------------------------------------------------------------------------------------------
def accept(hop: Hop, *, by: User) -> Hop:
    """Decide to pass ``hop`` on. Accepting twice changes nothing; a declined item may still be accepted.

    Raises NotAllowed if ``by`` does not manage the organization, NotPossible if the cascade is no longer open.
    """
    policies.require(by, "decide", hop)
    with transaction.atomic():
        hop = _locked(hop)
        if hop.state == HopState.ACCEPTED:
            return hop
        _require_open(hop)
        _decide(hop, HopState.ACCEPTED, LedgerKind.ACCEPTED, by=by)
    return hop


def decline(hop: Hop, reason: str, *, by: User) -> Hop:
    """Decide not to pass ``hop`` on; the vendor sees ``reason``. Declining twice changes only the reason.

    Raises NotAllowed; NotPossible for a mandatory cascade, without a reason, or when something was already sent.
    """
    policies.require(by, "decide", hop)
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise NotPossible(_("Say in a few words why; the vendor reads it."))
    with transaction.atomic():
        hop = _locked(hop)
        _require_open(hop)
        if hop.cascade.is_mandatory:
            raise NotPossible(_("This item is mandatory and cannot be declined."))
        if hop.state == HopState.DECLINED and hop.decline_reason == reason:
            return hop
        _require_nothing_underway(hop)
        _decide(hop, HopState.DECLINED, LedgerKind.DECLINED, by=by, reason=reason)
    return hop


def withdraw(hop: Hop, *, by: User) -> Hop:
    """Take a decision back, so that ``hop`` is offered again; possible until something left.

    Raises NotAllowed; NotPossible when a message left or a sending is scheduled or under way.
    """
    policies.require(by, "decide", hop)
    with transaction.atomic():
        hop = _locked(hop)
        if hop.state == HopState.OFFERED:
            return hop
        _require_open(hop)
        _require_nothing_underway(hop)
        _decide(hop, HopState.OFFERED, LedgerKind.WITHDRAWN, by=by)
    return hop


def note_adapted(hop: Hop, *, by: User) -> None:
    """Remember that ``hop`` has words of its own; the first change is in the ledger, later ones are not news."""
    now = timezone.now()
    with transaction.atomic():
        if not Hop.objects.filter(pk=hop.pk, adapted_at=None).update(adapted_at=now):
            return
        hop.adapted_at = now
        record(hop.cascade, LedgerKind.ADAPTED, key=f"hop:{hop.pk}:{LedgerKind.ADAPTED}", hop=hop, by=by)


def choose_audience(hop: Hop, audience: Audience, *, by: User) -> Hop:
    """Keep whom ``hop`` goes to next; what is scheduled keeps its own. Raises NotAllowed, NotPossible."""
    policies.require(by, "send", hop)
    _require_open(hop)
    hop.audience = audience.to_json()
    hop.save(update_fields=["audience"])
    return hop


def _locked(hop: Hop) -> Hop:
    return Hop.objects.select_for_update(of=("self",)).select_related("cascade", "organization").get(pk=hop.pk)


def _decide(hop: Hop, state: HopState, kind: LedgerKind, *, by: User, reason: str = "") -> None:
    now = timezone.now()
    hop.state, hop.decline_reason = state, reason
    hop.decided_at, hop.decided_by = (None, None) if state == HopState.OFFERED else (now, by)
    hop.save(update_fields=["state", "decline_reason", "decided_at", "decided_by"])
    record(
        hop.cascade,
        kind,
        key=f"hop:{hop.pk}:{kind}:{now.isoformat()}",
        hop=hop,
        by=by,
        data={"reason": reason} if reason else {},
    )


def _require_open(hop: Hop) -> None:
    if reason := closed_because(hop):
        raise NotPossible(reason)


def _require_nothing_underway(hop: Hop) -> None:
    if hop.first_sent_at or hop.waves.filter(state__in=_LEAVING | {WaveState.DONE}).exists():
        raise NotPossible(_("Something was already sent, so the decision stands."))
    if hop.waves.filter(state=WaveState.SCHEDULED).exists():
        raise NotPossible(_("A sending is scheduled. Cancel it first."))


_LEAVING = frozenset({WaveState.FROZEN, WaveState.SENDING, WaveState.PAUSED})


# --- may anything happen at all? --------------------------------------------------------------------------------
def closed_because(hop: Hop) -> str:
    """Why nothing may be decided, adapted or sent for ``hop`` any more, in plain words; empty while it may."""
    cascade = hop.cascade
    if cascade.state == CascadeState.RECALLED or hop.state == HopState.RECALLED:
        return _("The vendor recalled this item.")
    if cascade.state == CascadeState.CLOSED:
        return _("The vendor closed this item; nothing more can be sent.")
    if cascade.state == CascadeState.DRAFT:
        return _("The vendor has not released this item yet.")
    return standing(hop.organization_id)


def standing(distributor_id: int) -> str:
    """Why the vendor's link to this distributor carries nothing at present; empty while it is active."""
    status = (
        NetworkLink.objects.filter(downstream=distributor_id, upstream__kind=OrganizationKind.VENDOR)
        .values_list("status", flat=True)
        .first()
    )
    if status == LinkStatus.ACTIVE:
        return ""
    if status == LinkStatus.PAUSED:
        return _("Your cooperation with the vendor is paused. You can look, but nothing can be sent until it resumes.")
    if status == LinkStatus.INVITED:
        return _("Your cooperation with the vendor has not started yet.")
    return _("Your cooperation with the vendor has ended. You can look back, but nothing can be sent.")


# --- derived state ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class HopStatus:
    """Where a hop stands: ``value`` names the badge, ``detail`` the number beside it."""

    value: str
    detail: str = ""
    at: datetime | None = None  # when it is scheduled, or when it was sent
    resellers: int = 0
    resellers_done: int = 0
    people: int = 0
    settled: int = 0  # messages with an outcome, of the waves under way
    has_sent: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to decide or to do."""
        return self.value in {"declined", "closed", "recalled"}

    @property
    def needs_somebody(self) -> bool:
        """Whether the distributor's people have something to decide or to finish."""
        return self.value in {"offered", "ready", "overdue", "behind", "paused"}


def hop_status(hop: Hop, *, conflicts: int = 0) -> HopStatus:
    """The state of one hop; see ``hop_statuses``."""
    return hop_statuses([hop], conflicts={hop.pk: conflicts})[hop.pk]


def hop_statuses(
    hops: Sequence[Hop], *, conflicts: dict[int, int] | None = None, now: datetime | None = None
) -> dict[int, HopStatus]:
    """States of ``hops`` (with their cascades loaded) by id, in three queries. ``conflicts``: open ones per hop."""
    now = now or timezone.now()
    waves: dict[int, list[Wave]] = defaultdict(list)
    for wave in Wave.objects.filter(hop__in=hops).exclude(state__in=[WaveState.DRAFT, WaveState.CANCELLED]):
        waves[wave.hop_id].append(wave)
    moving = [wave.pk for found in waves.values() for wave in found if wave.state in _LEAVING]
    settled = _settled(moving) if moving else {}
    reached = _reached([hop.pk for hop in hops])
    return {
        hop.pk: _status(hop, waves[hop.pk], settled, reached.get(hop.pk, (0, 0)), (conflicts or {}).get(hop.pk, 0), now)
        for hop in hops
    }


def _status(
    hop: Hop, waves: list[Wave], settled: dict[int, int], reached: tuple[int, int], conflicts: int, now: datetime
) -> HopStatus:
    resellers, done = reached
    leaving = [wave for wave in waves if wave.state in _LEAVING or _is_about_to_leave(wave)]
    has_sent = hop.first_sent_at is not None or any(wave.state == WaveState.DONE for wave in waves)
    scheduled = min((wave.scheduled_at for wave in waves if _is_scheduled(wave) and wave.scheduled_at), default=None)
    people = sum(wave.frozen_count or 0 for wave in waves if wave.kind in CLAIMING_KINDS)

    def status(value: str, detail: str = "", at: datetime | None = None, gone: int = 0) -> HopStatus:
        return HopStatus(value, detail, at, resellers, done, people, gone, has_sent or bool(leaving))

    if hop.cascade.state == CascadeState.RECALLED or hop.state == HopState.RECALLED:
        return status("recalled")
    if hop.state == HopState.DECLINED:
        return status("declined")
    if leaving:
        total = sum(wave.frozen_count or 0 for wave in leaving)
        gone = sum(settled.get(wave.pk, 0) for wave in leaving)
        value = "paused" if all(wave.state == WaveState.PAUSED for wave in leaving) else "sending"
        return status(value, _percent(gone, total), gone=gone)
    if scheduled:
        return status("scheduled", at=scheduled)
    if has_sent:
        if conflicts and hop.cascade.is_open:
            return status("behind")
        if resellers and done >= resellers:
            return status("done")
        share = _percent(done, resellers)
        return status("sent", _("%(share)s done") % {"share": share} if share else "", at=hop.first_sent_at)
    if not hop.cascade.is_open:
        return status("closed")
    if hop.cascade.pass_on_by < now:
        return status("overdue")
    if hop.state == HopState.ACCEPTED:
        return status("behind" if conflicts else "ready")
    return status("offered")


def _is_scheduled(wave: Wave) -> bool:
    return wave.state == WaveState.SCHEDULED and wave.undo_until is None and wave.scheduled_at is not None


def _is_about_to_leave(wave: Wave) -> bool:
    """Whether Send was pressed and can still be undone."""
    return wave.state == WaveState.SCHEDULED and wave.undo_until is not None


def _percent(part: int, whole: int) -> str:
    return f"{int(100 * part / whole)}%" if whole else ""


def _settled(wave_ids: list[int]) -> dict[int, int]:
    """Messages with an outcome per wave. A covered person counts when their turn has passed, like everybody's."""
    waiting = Q(state__in=PENDING_STATES) | Q(state=DeliveryState.COVERED, passed_at=None)
    rows = Delivery.objects.filter(wave__in=wave_ids).exclude(waiting).values("wave").annotate(n=Count("pk")).order_by()
    return {row["wave"]: row["n"] for row in rows}


def _reached(hop_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Resellers given the item and resellers done, per hop."""
    is_done = OrganizationCompletion.objects.filter(
        cascade=OuterRef("cascade_id"), organization=OuterRef("organization_id")
    )
    rows = (
        Edge.objects.filter(hop__in=list(hop_ids))
        .annotate(is_done=Exists(is_done))
        .values("hop")
        .annotate(n=Count("pk"), done=Count("pk", filter=Q(is_done=True)))
        .order_by()
    )
    return {row["hop"]: (row["n"], row["done"]) for row in rows}
