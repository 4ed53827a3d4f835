"""What happens to deliveries outside a lease: retries, cancelling, promotion, people's word on what is unconfirmed.

Only the holder of a chunk's lease (or the reaper) changes rows of a leased chunk; everything here leaves those alone.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, models, transaction
from django.db.models import Case, Count, F, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from accounts import policies
from cascade.enums import (
    CLAIMING_KINDS,
    PENDING_STATES,
    CascadeState,
    ChunkState,
    CounterName,
    DeliveryState,
    HopState,
    LedgerKind,
    WaveState,
)
from cascade.freeze import CHUNK_SIZE, SMALL_WAVE_PRIORITY
from cascade.lanes import lane_for
from cascade.models import Chunk, CounterDelta, Delivery, LedgerEvent, Wave

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

_LEAVING = (WaveState.FROZEN, WaveState.SENDING)


def count(hop_id: int, changes: dict[str, int]) -> None:
    """Note changes of a hop's counters; call it in the transaction that changed the rows."""
    CounterDelta.objects.bulk_create(
        CounterDelta(hop_id=hop_id, name=name, delta=delta) for name, delta in sorted(changes.items()) if delta
    )


# --- chunks made after the freeze ---------------------------------------------------------------------------------


def retry_due(now: datetime | None = None) -> int:
    """Make chunks of deliveries whose time to be tried again has come. Returns their number."""
    due = Q(state=DeliveryState.RETRYING, not_before__lte=now or timezone.now())
    made = 0
    waves = Delivery.objects.filter(due, wave__state__in=_LEAVING).values_list("wave", flat=True).distinct()
    for wave_id in list(waves):
        with transaction.atomic():
            wave = _locked(wave_id)
            if wave.state not in _LEAVING or wave.stop_requested:
                continue
            rows = wave.deliveries.filter(due).order_by("pk").values_list("pk", "language")
            made += _queue(wave, list(rows))
    return made


def _queue(wave: Wave, rows: Iterable[tuple[int, str]]) -> int:
    """Put deliveries (id, language) of a locked wave into new chunks."""
    by_language: dict[str, list[int]] = defaultdict(list)
    for pk, language in rows:
        by_language[language].append(pk)
    number = wave.chunks.aggregate(last=Max("number"))["last"] or 0
    lane, made = lane_for(wave.hop.organization), 0
    for language, ids in sorted(by_language.items()):
        for start in range(0, len(ids), CHUNK_SIZE):
            part = ids[start : start + CHUNK_SIZE]
            number += 1
            changed = Delivery.objects.filter(pk__in=part).update(
                state=DeliveryState.QUEUED, chunk_number=number, not_before=None
            )
            Chunk.objects.create(
                wave=wave, number=number, language=language, lane=lane, size=changed, priority=SMALL_WAVE_PRIORITY
            )
            made += changed
    return made


# --- the next sender of a person ----------------------------------------------------------------------------------


def promote(wave: Wave) -> int:
    """Give people whom ``wave`` will not mail after all (cancelled, suppressed) to the next sender that named them.

    The oldest covered row takes the claim and is queued in its own wave. Returns how many were promoted.
    """
    if wave.kind not in CLAIMING_KINDS:
        return 0
    released = Q(wave=wave, holds_claim=True, state__in=[DeliveryState.CANCELLED, DeliveryState.SUPPRESSED])
    if not Delivery.objects.filter(released).exists():
        return 0
    with transaction.atomic():
        people = list(Delivery.objects.select_for_update().filter(released).values_list("person", flat=True))
        Delivery.objects.filter(released).update(holds_claim=False)
        promoted = 0
        for start in range(0, len(people), CHUNK_SIZE):
            promoted += _promote_heirs(wave, people[start : start + CHUNK_SIZE])
    if promoted:
        logger.info("covered deliveries promoted", extra={"wave": wave.pk, "deliveries": promoted})
    return promoted


def _promote_heirs(wave: Wave, people: Collection[int]) -> int:
    heirs = (
        Delivery.objects.filter(
            cascade=wave.hop.cascade_id,
            tier=wave.hop.tier,
            person__in=people,
            state=DeliveryState.COVERED,
            wave__kind__in=CLAIMING_KINDS,
            wave__state__in=[*_LEAVING, WaveState.PAUSED, WaveState.DONE],
            wave__stop_requested=False,
        )
        .exclude(wave__hop__state=HopState.RECALLED)
        .exclude(wave__hop__cascade__state=CascadeState.RECALLED)
        .order_by("person", "pk")
        .values_list("person", "pk", "wave", "language")
    )
    first: dict[int, tuple[int, int, str]] = {}
    for person, pk, wave_id, language in heirs:
        first.setdefault(person, (pk, wave_id, language))
    by_wave: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, wave_id, language in first.values():
        by_wave[wave_id].append((pk, language))
    return sum(_take_claims(_locked(wave_id), rows) for wave_id, rows in sorted(by_wave.items()))


def _take_claims(wave: Wave, rows: list[tuple[int, str]]) -> int:
    taken = []
    for pk, language in rows:
        try:
            with transaction.atomic():
                changed = Delivery.objects.filter(pk=pk, state=DeliveryState.COVERED).update(holds_claim=True)
        except IntegrityError:  # a third sender froze this very moment and was first
            continue
        if changed:
            taken.append((pk, language))
    if not taken:
        return 0
    count(wave.hop_id, {CounterName.COVERED: -len(taken)})
    if wave.state == WaveState.DONE:
        wave.state, wave.finished_at = WaveState.SENDING, None
        wave.save(update_fields=["state", "finished_at"])
    return _queue(wave, taken)


# --- the end of a wave --------------------------------------------------------------------------------------------


def finish_stop(wave: Wave) -> bool:
    """Cancel what is left of a wave that is to stop; whether that is done. While a chunk is leased, its holder's end
    of the lease calls this again, and the sweeper does."""
    with transaction.atomic():
        wave = _locked(wave.pk)
        if not wave.stop_requested or wave.state in {WaveState.CANCELLED, WaveState.DONE}:
            return True
        wave.chunks.filter(state=ChunkState.READY).update(state=ChunkState.DONE)
        leased = list(wave.chunks.filter(state=ChunkState.LEASED).values_list("number", flat=True))
        waiting = Q(state__in=PENDING_STATES) | Q(state=DeliveryState.COVERED, passed_at=None)
        rows = wave.deliveries.filter(waiting).exclude(chunk_number__in=leased, state__in=_HELD_BY_LEASE)
        covered = rows.filter(state=DeliveryState.COVERED).count()
        cancelled = rows.update(state=DeliveryState.CANCELLED, not_before=None)
        count(wave.hop_id, {CounterName.CANCELLED: cancelled, CounterName.COVERED: -covered})
        if leased:
            return False
        wave.state, wave.stop_requested, wave.finished_at = WaveState.CANCELLED, False, timezone.now()
        wave.save(update_fields=["state", "stop_requested", "finished_at"])
        promote(wave)
    return True


_HELD_BY_LEASE = (DeliveryState.QUEUED, DeliveryState.COVERED)


def finish(wave: Wave) -> bool:
    """Mark a wave as sent when nobody in it waits any more; whether it is."""
    if Wave.objects.filter(pk=wave.pk, state__in=_LEAVING).exists() and not _is_busy(wave):
        with transaction.atomic():
            wave = _locked(wave.pk)
            if wave.state not in _LEAVING or _is_busy(wave):
                return False
            wave.state, wave.finished_at = WaveState.DONE, timezone.now()
            wave.save(update_fields=["state", "finished_at"])
            LedgerEvent.objects.bulk_create(
                [
                    LedgerEvent(
                        cascade_id=wave.hop.cascade_id,
                        hop_id=wave.hop_id,
                        kind=LedgerKind.WAVE_SENT,
                        organization_id=wave.hop.organization_id,
                        actor_id=wave.created_by_id,
                        data={"wave": wave.pk, "kind": wave.kind},
                        key=f"wave:{wave.pk}:sent",
                    )
                ],
                ignore_conflicts=True,
            )
        logger.info("wave sent", extra={"wave": wave.pk})
        return True
    return False


def _is_busy(wave: Wave) -> bool:
    return (
        wave.deliveries.filter(state__in=PENDING_STATES).exists() or wave.chunks.exclude(state=ChunkState.DONE).exists()
    )


def _locked(wave_id: int) -> Wave:
    waves = Wave.objects.select_for_update(of=("self",)).select_related("hop__organization__brand", "hop__cascade")
    return waves.get(pk=wave_id)


# --- unconfirmed: a person decides --------------------------------------------------------------------------------


def confirm(deliveries: QuerySet[Delivery], *, by: User) -> int:
    """Somebody knows that these unconfirmed messages arrived. Returns how many were settled. Raises NotAllowed."""
    return _settle_unconfirmed(deliveries, DeliveryState.SENT, by)


def give_up(deliveries: QuerySet[Delivery], *, by: User) -> int:
    """These unconfirmed messages count as failed. Returns how many were settled. Raises NotAllowed."""
    return _settle_unconfirmed(deliveries, DeliveryState.FAILED, by)


def send_again(deliveries: QuerySet[Delivery], *, by: User) -> int:
    """Send unconfirmed messages once more, on a person's word that a duplicate is the lesser evil. Raises NotAllowed.

    Only in a wave that was not cancelled or recalled; a wave that was done leaves again. Returns how many were queued.
    """
    queued = 0
    for wave_id in _waves_of(deliveries, by):
        with transaction.atomic():
            wave = _locked(wave_id)
            if wave.state not in {*_LEAVING, WaveState.DONE} or wave.stop_requested:
                continue
            rows = deliveries.filter(wave=wave, state=DeliveryState.UNCONFIRMED).order_by("pk")
            made = _queue(wave, list(rows.values_list("pk", "language")))
            count(wave.hop_id, {CounterName.UNCONFIRMED: -made})
            if made and wave.state == WaveState.DONE:
                wave.state, wave.finished_at = WaveState.SENDING, None
                wave.save(update_fields=["state", "finished_at"])
            queued += made
    return queued


def _settle_unconfirmed(deliveries: QuerySet[Delivery], state: DeliveryState, by: User) -> int:
    settled = 0
    for wave_id in _waves_of(deliveries, by):
        with transaction.atomic():
            wave = _locked(wave_id)
            rows = deliveries.filter(wave=wave, state=DeliveryState.UNCONFIRMED)
            extra = {"sent_at": F("passed_at")} if state == DeliveryState.SENT else {}
            changed = Delivery.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(
                state=state, **extra
            )
            count(wave.hop_id, {CounterName.UNCONFIRMED: -changed, CounterName(state.value): changed})
            settled += changed
    return settled


def _waves_of(deliveries: QuerySet[Delivery], by: User) -> list[int]:
    waves = Wave.objects.filter(pk__in=deliveries.order_by().values("wave")).select_related("hop__organization")
    for wave in waves:
        policies.require(by, "send", wave.hop)
    return sorted(wave.pk for wave in waves)


# --- what its distributor sees ------------------------------------------------------------------------------------


def with_apparent_state(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Annotate ``apparent_state``: what the sender of a delivery may know of it.

    A covered person looks like everybody: waiting until their turn, then whatever became of the message that did bring
    the item. So no screen, export or count tells that somebody else sent it.
    """
    winner = Delivery.objects.filter(
        cascade=OuterRef("cascade"), tier=OuterRef("tier"), person=OuterRef("person"), holds_claim=True
    ).values("state")[:1]
    covered, passed = Q(state=DeliveryState.COVERED), Q(passed_at__isnull=False)
    return deliveries.annotate(
        winner_state=Case(
            When(covered & passed, then=Subquery(winner)), default=None, output_field=models.CharField(null=True)
        )
    ).annotate(
        apparent_state=Case(
            When(covered & ~passed, then=Value(DeliveryState.QUEUED.value)),
            When(
                covered & Q(winner_state__in=[DeliveryState.FAILED, DeliveryState.UNCONFIRMED]),
                then=F("winner_state"),
            ),
            When(covered, then=Value(DeliveryState.SENT.value)),
            When(passed & Q(state__in=PENDING_STATES), then=Value(DeliveryState.SENT.value)),  # promoted
            default=F("state"),
            output_field=models.CharField(),
        )
    )


def tally(deliveries: QuerySet[Delivery]) -> dict[str, int]:
    """Deliveries by apparent state."""
    apparent = with_apparent_state(deliveries).order_by()
    rows = apparent.values_list("apparent_state").annotate(n=Count("pk"))  # type: ignore[misc]  # an annotation
    return dict(rows)
