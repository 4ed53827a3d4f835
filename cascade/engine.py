"""The delivery engine: lease a chunk, write ahead, send, settle; reap what died; sweep what is due.

The row decides; a broker only wakes us. A lost, doubled or late task changes nothing, because every step is a
conditional statement on rows:

- A chunk is leased with owner, epoch and a lease time by the database's clock. Every later write is fenced by them.
- Before up to ``WINDOW`` messages may leave, one synchronous update says so and carries the results so far. After a
  crash, deliveries up to ``done`` are known, those between ``done`` and ``started`` are *unconfirmed* (or known from
  the dead process's journal), the rest have certainly not left and are queued again.
- An unconfirmed message is never sent again by the machine. SMTP cannot promise more (RFC 1047).
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from random import uniform

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import AddressState
from accounts.models import Address
from cascade import compose, delivery, journal, lanes, stopping
from cascade.enums import ChunkState, DeliveryState, Tier, WaveState
from cascade.freeze import DueRow, due_rows
from cascade.message import BadMessage, CompiledMessage
from cascade.models import Chunk, Delivery, Hop, Lane, Wave
from cascade.sql import Dialect, Lease, LostLease, Result, dialect
from cascade.transport import Outcome, Outgoing, RelayFault, Reply, Transport, default_transport

logger = logging.getLogger(__name__)

LEASE_SECONDS: float = settings.LEASE_SECONDS
WINDOW = 16  # messages; what may be in doubt after the loss of a whole machine
SLICE_SECONDS = 50.0  # a task ends within a minute; the next one goes on
RETRY_MINUTES = (5, 15, 60, 240, 720)  # after the first, second … temporary refusal; then the delivery failed
_HARD_BOUNCE = "5.1."  # RFC 3463: the address is wrong, whoever sends


class Stopped(Exception):
    """The wave may not send any more, the lease is lost, or this process is asked to end."""


# --- a lane -------------------------------------------------------------------------------------------------------


def drain_lane(lane: Lane | int, *, slice_seconds: float = SLICE_SECONDS, transport: Transport | None = None) -> int:
    """Lease chunks of ``lane`` one after another and deliver them, until none is due or the time is over.

    Safe to call twice, at once, late or never. Returns the number of messages that left.
    """
    lane = lane if isinstance(lane, Lane) else Lane.objects.get(pk=lane)
    db, sent = dialect(), 0
    db.prepare_session()
    until = time.monotonic() + slice_seconds
    owner = journal.owner_name()
    notes: journal.Journal | None = None
    with closing(transport or default_transport()) as way_out:
        try:
            while _may_go_on(until) and (lease := _claim(db, lane, owner)) is not None:
                notes = notes or journal.Journal(owner)
                run = _ChunkRun(db, lease, notes)
                sent += run.deliver(way_out)
                if run.fault is not None:
                    lanes.hold(lane.pk, run.fault)
                    break
                if run.was_stopped:
                    break  # its chunk may be due again until the sweeper has looked at the wave: do not spin on it
                if run.sent:
                    lanes.reopen(lane.pk)
        finally:
            if notes is not None:
                notes.close()
    return sent


def _may_go_on(until: float) -> bool:
    return time.monotonic() < until and not stopping.is_requested()


def _claim(db: Dialect, lane: Lane, owner: str) -> Lease | None:
    with lanes.bucket(lane) as take:
        if take is None:
            return None
        lease = db.claim(lane.pk, owner, LEASE_SECONDS)
        if lease is not None:
            take(lease.size)
    return lease


# --- a chunk ------------------------------------------------------------------------------------------------------


def _boot_clock() -> float:
    """Seconds that go on while the machine sleeps, so that a process that slept through its lease notices."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


class _ChunkRun:
    """One lease of one chunk, from loading its rows to settling them."""

    def __init__(self, db: Dialect, lease: Lease, notes: journal.Journal) -> None:
        self.db, self.lease, self.notes = db, lease, notes
        self.wave = Wave.objects.select_related("hop__cascade", "hop__organization__brand").get(pk=lease.wave_id)
        self.rows = due_rows(self.wave, lease.number)
        self.by_id = {row.id: row for row in self.rows}
        self.results: dict[int, Result] = {}
        self.fault: RelayFault | None = None
        self.was_stopped = False
        self.sent = 0
        self._order = [row.id for row in self.rows if not row.is_covered and not row.reason]
        self._place = {pk: place for place, pk in enumerate(self._order)}
        self._started = 0
        self._deadline = 0.0

    def deliver(self, transport: Transport) -> int:
        """Send what is due and settle the chunk, whatever happens. Returns the number of messages that left."""
        now = timezone.now()
        for row in self.rows:
            if row.reason and not row.is_covered:
                self.results[row.id] = Result(row.id, DeliveryState.SUPPRESSED, now, reason=row.reason)
        self.notes.begin()
        _mark_started(self.wave)
        sender = self.wave.contents.values_list("headers__from_email", flat=True).get(language=self.lease.language)
        try:
            compiled = compose.compose(self.wave, self.lease.language)
            for reply in transport.send(self._outgoing(compiled, sender), self._before_leaving):
                self._record(reply)
        except RelayFault as fault:
            self.fault = fault
            for key in fault.requeue:
                self.results.pop(key, None)
        except Stopped:
            self.was_stopped = True
            logger.info("chunk stopped", extra={"chunk": self.lease.chunk_id, "wave": self.wave.pk})
        finally:
            # Also after an error of ours: the transport has promised that what has no reply has not left.
            self._settle()
        return self.sent

    def _outgoing(self, compiled: CompiledMessage, sender: str) -> Iterator[Outgoing]:
        hops = _own_hops(self.wave) if self.wave.hop.tier == Tier.DISTRIBUTORS else {}
        for pk in self._order:
            row = self.by_id[pk]
            hop = hops.get(row.organization_id, 0)
            try:
                values = compose.values(compose.Recipient(pk, row.email, row.name, row.company, hop))
                yield Outgoing(pk, sender, row.email, compiled.render(values))
            except BadMessage as error:
                self.results[pk] = Result(pk, DeliveryState.FAILED, timezone.now(), detail=str(error)[:255], tried=1)

    def _before_leaving(self, key: int) -> None:
        if key > self._started or _boot_clock() > self._deadline:
            self._advance(key)
        self.notes.started(key, self.lease.chunk_id, self.lease.epoch)

    def _advance(self, key: int) -> None:
        """Move the write-ahead window so that ``key`` and the next ones may leave."""
        if stopping.is_requested():
            raise Stopped
        place = self._place[key]
        started = self._order[min(place + WINDOW, len(self._order)) - 1]
        done = self._order[place - 1] if place else 0
        others = [[r.id, r.state, r.code] for r in self.results.values() if r.state != DeliveryState.SENT]
        if not self.db.advance(self.lease, started, done, others, LEASE_SECONDS):
            raise Stopped
        self._started = started
        self._deadline = _boot_clock() + LEASE_SECONDS / 2

    def _record(self, reply: Reply) -> None:
        self.notes.replied(reply.key, self.lease.chunk_id, self.lease.epoch, reply.outcome, reply.code)
        result = result_of(reply, self.by_id[reply.key].attempts, timezone.now())
        if result is None:
            return
        self.results[reply.key] = result
        self.sent += result.state == DeliveryState.SENT

    def _settle(self) -> None:
        step_over_covered(self.rows, self.results)
        settle(self.db, self.lease, self.wave, self.rows, self.results)
        bounced = [pk for pk, result in self.results.items() if _is_hard_bounce(result)]
        if bounced:
            addresses = Delivery.objects.filter(pk__in=bounced).values("address")
            Address.objects.filter(pk__in=addresses, state=AddressState.OK).update(
                state=AddressState.BOUNCED, state_at=timezone.now()
            )


def _mark_started(wave: Wave) -> None:
    Wave.objects.filter(pk=wave.pk, state=WaveState.FROZEN).update(state=WaveState.SENDING)
    Wave.objects.filter(pk=wave.pk, started_at=None).update(started_at=timezone.now())


def _own_hops(wave: Wave) -> dict[int, int]:
    """Each distributor's own hop of the cascade, for the link in the vendor's notice."""
    return dict(Hop.objects.filter(parent=wave.hop_id).values_list("organization_id", "pk"))


def _is_hard_bounce(result: Result) -> bool:
    return result.state == DeliveryState.FAILED and result.detail.startswith(_HARD_BOUNCE)


def result_of(reply: Reply, attempts: int, at: datetime) -> Result | None:
    """What a reply makes of a delivery with so many attempts before; None: it stays queued."""
    match reply.outcome:
        case Outcome.SENT:
            return Result(reply.key, DeliveryState.SENT, at, reply.code or None, reply.text[:255], tried=1)
        case Outcome.UNCONFIRMED:
            return Result(reply.key, DeliveryState.UNCONFIRMED, at, reply.code or None, reply.text[:255], tried=1)
        case Outcome.PERMANENT:
            return Result(reply.key, DeliveryState.FAILED, at, reply.code or None, reply.text[:255], tried=1)
        case Outcome.NOT_STARTED if reply.code:
            return None  # throttled: not this person's fault, and not an attempt
    # A line cut in the body counts as an attempt: a message that always has this fate must come to an end.
    if attempts >= len(RETRY_MINUTES):
        return Result(reply.key, DeliveryState.FAILED, at, reply.code or None, reply.text[:255], tried=1)
    wait = timedelta(minutes=RETRY_MINUTES[attempts] * uniform(0.9, 1.1))
    return Result(
        reply.key, DeliveryState.RETRYING, at, reply.code or None, reply.text[:255], tried=1, not_before=at + wait
    )


def step_over_covered(rows: list[DueRow], results: dict[int, Result]) -> None:
    """Let covered rows pass when their turn has come: everybody before them in the chunk is decided.

    They get the time of their predecessor, so that a distributor's progress moves alike with and without them.
    """
    at = timezone.now()
    first = next((row for row in rows if row.id in results), None)
    if first is not None:
        at = results[first.id].at
    for row in rows:
        if row.is_covered:
            results[row.id] = Result(row.id, DeliveryState.COVERED, at)
        elif row.id in results:
            at = results[row.id].at
        else:
            return


def settle(db: Dialect, lease: Lease, wave: Wave, rows: list[DueRow], results: dict[int, Result]) -> None:
    """Write a chunk's results in bulk; what is undecided makes it ready again. Then see to the wave."""
    is_done = all(row.id in results for row in rows)
    state = ChunkState.DONE if is_done else ChunkState.READY
    ours = db.settle(lease, wave.hop_id, list(results.values()), state, timezone.now())
    if not ours:
        # Somebody declared us dead while we waited for a reply. What we know is evidence for what is in doubt.
        known = [result for result in results.values() if result.state in {DeliveryState.SENT, DeliveryState.FAILED}]
        late = db.settle_late(wave.hop_id, known)
        logger.warning("lease lost", extra={"chunk": lease.chunk_id, "wave": wave.pk, "settled_late": late})
    if any(result.state == DeliveryState.SENT for result in results.values()):
        Hop.objects.filter(pk=wave.hop_id, first_sent_at=None).update(first_sent_at=timezone.now())
    if any(result.state == DeliveryState.SUPPRESSED for result in results.values()):
        delivery.promote(wave)
    if Wave.objects.filter(pk=wave.pk, stop_requested=True).exists():
        delivery.finish_stop(wave)
    elif is_done:
        delivery.finish(wave)


# --- what died ----------------------------------------------------------------------------------------------------


def reap() -> int:
    """Take chunks from holders whose lease ran out or whose process is proven dead, and decide their rows.

    Returns the number of chunks.
    """
    db, reaped = dialect(), 0
    for chunk_id, owner, epoch, is_over in db.expired():
        if not is_over and not journal.is_proven_dead(owner):
            continue
        lost = db.take_over(chunk_id, owner, epoch, journal.owner_name(), LEASE_SECONDS)
        if lost is None:
            continue
        _decide(db, lost)
        reaped += 1
        if journal.is_proven_dead(owner) and not Chunk.objects.filter(state=ChunkState.LEASED, owner=owner).exists():
            journal.forget(owner)
    return reaped


def _decide(db: Dialect, lost: LostLease) -> None:
    """Settle a lost chunk from its window and, where it can be believed, the journal of its holder."""
    lease = lost.lease
    wave = Wave.objects.select_related("hop__cascade", "hop__organization__brand").get(pk=lease.wave_id)
    rows = due_rows(wave, lease.number)
    noted = journal.read(lost.former_owner, lease.chunk_id, lost.former_epoch)
    written = {pk: (state, code) for pk, state, code in lost.results}
    now, results = timezone.now(), {}
    for row in rows:
        if row.is_covered:
            continue
        reply: Reply | None = None
        if row.id in written:
            state, code = written[row.id]
            if state == DeliveryState.SUPPRESSED:
                results[row.id] = Result(row.id, state, now, reason=row.reason)
                continue
            reply = Reply(row.id, _OUTCOME_OF[DeliveryState(state)], code or 0)
        elif row.id <= lost.done_id:
            reply = Reply(row.id, Outcome.SENT, 250)
        elif row.id <= lost.started_id:
            if noted is None:
                reply = Reply(row.id, Outcome.UNCONFIRMED, text=str(_("The worker stopped.")))
            elif row.id in noted:
                outcome, code = noted[row.id]
                reply = Reply(row.id, outcome or Outcome.UNCONFIRMED, code)
        if reply is not None and (result := result_of(reply, row.attempts, now)) is not None:
            results[row.id] = result
    step_over_covered(rows, results)
    settle(db, lease, wave, rows, results)
    logger.warning(
        "chunk reaped",
        extra={
            "chunk": lease.chunk_id,
            "wave": wave.pk,
            "unconfirmed": sum(result.state == DeliveryState.UNCONFIRMED for result in results.values()),
        },
    )


_OUTCOME_OF = {
    DeliveryState.SENT: Outcome.SENT,
    DeliveryState.FAILED: Outcome.PERMANENT,
    DeliveryState.RETRYING: Outcome.TEMPORARY,
    DeliveryState.UNCONFIRMED: Outcome.UNCONFIRMED,
}


# --- what is due --------------------------------------------------------------------------------------------------


def sweep() -> list[int]:
    """See to everything that is due: recalls, scheduled waves, lost leases, retries, ended waves.

    Safe at any time and at once with another. Each step goes on after the failure of another. Returns the lanes that
    have something to send.
    """
    from cascade import waves  # deferred: waves queue the tasks that call this module

    for step in (waves.stop_recalled, waves.freeze_due, reap, delivery.retry_due, finish_waves):
        try:
            step()
        except Exception:
            if transaction.get_connection().in_atomic_block:
                raise  # inside a caller's transaction nothing more can be done
            logger.exception("sweep step failed", extra={"step": step.__name__})
    return due_lanes()


def finish_waves() -> None:
    """Close waves in which nobody waits any more, and those that are to stop."""
    for wave in Wave.objects.filter(stop_requested=True).select_related("hop__cascade"):
        delivery.finish_stop(wave)
    for wave in Wave.objects.filter(state__in=[WaveState.FROZEN, WaveState.SENDING]).select_related("hop__cascade"):
        delivery.promote(wave)
        delivery.finish(wave)


def due_lanes() -> list[int]:
    """Open lanes with chunks that are ready in waves that leave."""
    now = timezone.now()
    ready = Chunk.objects.filter(
        state=ChunkState.READY,
        not_before__lte=now,
        wave__state__in=[WaveState.FROZEN, WaveState.SENDING],
        wave__stop_requested=False,
    )
    lanes_ready = Lane.objects.filter(pk__in=ready.values("lane")).order_by("pk")
    return [lane.pk for lane in lanes_ready if lanes.is_open(lane)]


def is_idle() -> bool:
    """Whether nothing waits to be sent now: for tests, the demo's seed and deploys."""
    return not due_lanes() and not Chunk.objects.filter(state=ChunkState.LEASED).exists()


def work_off(*, rounds: int = 100, transport: Transport | None = None) -> int:
    """Sweep and drain in this process until nothing is due: for commands, the demo's seed and tests."""
    sent = 0
    for _round in range(rounds):
        lanes_ready = sweep()
        if not lanes_ready:
            break
        for lane in lanes_ready:
            sent += drain_lane(lane, transport=transport)
    return sent
