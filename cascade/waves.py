"""The verbs of a sending: prepare, schedule, send now, undo, pause, resume, cancel, test, remind; and its progress.

Verbs check permission and state, change rows in one transaction, note the step in the ledger, and ring the bell. None
touches rows of a leased chunk: whoever holds it obeys the wave's state before each window.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import policies
from accounts.models import OrganizationHost
from cascade import compose, delivery, freeze, outbox, tasks
from cascade.audience import Audience
from cascade.enums import (
    CLAIMING_KINDS,
    CascadeState,
    ChunkState,
    DeliveryState,
    HopState,
    LedgerKind,
    Tier,
    WaveKind,
    WaveState,
)
from cascade.hops import NotPossible, closed_because
from cascade.models import Cascade, Hop, Lane, LedgerEvent, OutboxMessage, Wave

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import Organization, User

logger = logging.getLogger(__name__)

UNDO_SECONDS = 10  # after Send; nothing leaves before
_MOVING = (WaveState.FROZEN, WaveState.SENDING, WaveState.PAUSED)

# Further reasons why a wave may not leave, each in words for its sender; asked when it is scheduled and again at the
# scheduled minute. Preflight registers its red checks here.
_checks: list[Callable[[Wave], str]] = []


def register_check(check: Callable[[Wave], str]) -> None:
    """Ask ``check(wave)`` before a wave leaves; it returns why it may not, or an empty string."""
    if check not in _checks:
        _checks.append(check)


# --- sending ------------------------------------------------------------------------------------------------------


def prepare(
    hop: Hop, audience: Audience, *, by: User, kind: WaveKind | None = None, send_key: uuid.UUID | None = None
) -> Wave:
    """A draft wave of ``hop``. The first sending is *initial*, a later one takes *late joiners*, unless ``kind`` says.

    ``send_key`` comes from the form: submitting it twice returns the same wave. Raises NotAllowed, NotPossible.
    """
    policies.require(by, "send", hop)
    with transaction.atomic():
        hop = _locked_hop(hop)
        if send_key is not None and (wave := Wave.objects.filter(send_key=send_key, hop=hop).first()):
            return wave
        if kind != WaveKind.CORRECTION and (reason := _forbidden(hop)):
            raise NotPossible(reason)
        return Wave.objects.create(
            hop=hop,
            kind=kind or _next_kind(hop),
            audience=audience.to_json(),
            base_url=base_url(hop.organization),
            created_by=by,
            send_key=send_key,
        )


def schedule(wave: Wave, at: datetime, by: User) -> Wave:
    """Have ``wave`` sent at ``at`` (aware; not in the past); a scheduled wave is moved. Raises NotAllowed, NotPossible.

    The audience is decided at that minute, and everything that may forbid sending is asked again then.
    """
    policies.require(by, "send", wave)
    if at < timezone.now() - timedelta(minutes=1):
        raise NotPossible(_("That time is over. Choose one in the future, or send now."))
    with transaction.atomic():
        wave = _locked(wave)
        if wave.state not in {WaveState.DRAFT, WaveState.SCHEDULED}:
            raise NotPossible(_("This sending has already started."))
        _schedule(wave, at, None)
        _note(wave, LedgerKind.SCHEDULED, by, at=at.isoformat())
    return wave


def send_now(
    hop: Hop, audience: Audience, by: User, *, kind: WaveKind | None = None, send_key: uuid.UUID | None = None
) -> Wave:
    """Send ``hop`` to ``audience`` in ten seconds, during which it can be undone. Raises NotAllowed, NotPossible.

    With ``send_key`` a double submit is one sending.
    """
    with transaction.atomic():
        wave = prepare(hop, audience, by=by, kind=kind, send_key=send_key)
        if wave.state != WaveState.DRAFT:
            return wave
        wave = _locked(wave)
        counts = freeze.audience_counts(wave.hop, audience, kind=wave.kind)
        if not counts.people:
            raise NotPossible(_("Nobody in this audience can be mailed."))
        at = timezone.now() + timedelta(seconds=UNDO_SECONDS)
        _schedule(wave, at, at)
        _note(wave, LedgerKind.SCHEDULED, by, at=at.isoformat())
        tasks.ring(tasks.sweep, countdown=UNDO_SECONDS + 0.5)
    return wave


def remind(hop: Hop, by: User, *, audience: Audience | None = None) -> Wave:
    """Remind those of ``hop`` who are not done, from whoever's message they got. Raises NotAllowed, NotPossible."""
    return send_now(hop, audience or Audience(), by, kind=WaveKind.REMINDER, send_key=None)


def undo(wave: Wave, by: User) -> Wave:
    """Take Send back within its ten seconds; nothing has left. Raises NotAllowed, NotPossible when it is too late."""
    policies.require(by, "send", wave)
    with transaction.atomic():
        wave = _locked(wave)
        if wave.state == WaveState.CANCELLED:
            return wave
        if wave.state != WaveState.SCHEDULED or wave.frozen_at is not None:
            raise NotPossible(_("It is too late to undo: messages are leaving. You can pause it."))
        _cancel_unfrozen(wave, "")
        _note(wave, LedgerKind.CANCELLED, by)
    return wave


def pause(wave: Wave, by: User, *, because: str = "") -> Wave:
    """Let nothing more of ``wave`` leave for now; messages already in the air (at most a window) do. Twice is once.

    Raises NotAllowed; NotPossible for a wave that is not under way.
    """
    policies.require(by, "send", wave)
    with transaction.atomic():
        wave = _locked(wave)
        if wave.state == WaveState.PAUSED:
            return wave
        if wave.state not in {WaveState.FROZEN, WaveState.SENDING}:
            raise NotPossible(_("Only a sending that is under way can be paused."))
        _pause(wave, because)
        _note(wave, LedgerKind.PAUSED, by)
    return wave


def resume(wave: Wave, by: User) -> Wave:
    """Go on with a paused wave; nobody gets a message twice. One that was stopped at its minute is due again now.

    Raises NotAllowed; NotPossible while something still forbids sending.
    """
    policies.require(by, "send", wave)
    with transaction.atomic():
        wave = _locked(wave)
        if wave.state in {WaveState.FROZEN, WaveState.SENDING, WaveState.SCHEDULED}:
            return wave
        if wave.state != WaveState.PAUSED:
            raise NotPossible(_("Only a paused sending can be resumed."))
        if reason := _reason_against(wave):
            raise NotPossible(reason)
        if wave.frozen_at is None:
            wave.state, wave.scheduled_at = WaveState.SCHEDULED, timezone.now()
        else:
            wave.state = WaveState.SENDING if wave.started_at else WaveState.FROZEN
        wave.stopped_because = ""
        wave.save(update_fields=["state", "scheduled_at", "stopped_because"])
        _note(wave, LedgerKind.RESUMED, by)
        tasks.ring(tasks.sweep)
    return wave


def cancel(wave: Wave, by: User) -> Wave:
    """End ``wave``: who has not been mailed never will be by it. Twice is once. Raises NotAllowed, NotPossible."""
    policies.require(by, "send", wave)
    with transaction.atomic():
        wave = _locked(wave)
        if wave.state == WaveState.CANCELLED or wave.stop_requested:
            return wave
        if wave.state == WaveState.DONE:
            raise NotPossible(_("Everything has already left."))
        if wave.state in _MOVING and wave.frozen_at is not None:
            _request_stop(wave, "")
        else:
            _cancel_unfrozen(wave, "")
        _note(wave, LedgerKind.CANCELLED, by)
    return _fresh(wave)


def send_test(hop: Hop, to_user: User) -> OutboxMessage:
    """Mail ``hop`` as it is now to one of its own people, marked as a test. Raises NotAllowed, compose.NoContent."""
    policies.require(to_user, "send", hop)
    hop = Hop.objects.select_related("cascade", "organization__brand").get(pk=hop.pk)
    mail = compose.write_test(hop, to_user, base_url=base_url(hop.organization))
    (message,) = outbox.add_raw(
        mail.raw, sender=mail.sender, recipients=[to_user.email], subject=mail.subject, message_id=mail.message_id
    )
    return message


# --- what the sweeper calls ---------------------------------------------------------------------------------------


def freeze_due(now: datetime | None = None) -> int:
    """Freeze waves whose time has come, after asking once more whether they may leave. Returns their number.

    A wave that may not leave is paused with the reason; one without anybody to mail is ended with it.
    """
    frozen = 0
    due = Wave.objects.filter(state=WaveState.SCHEDULED, scheduled_at__lte=now or timezone.now()).order_by("pk")
    for wave_id in list(due.values_list("pk", flat=True)):
        wave = _fresh(Wave(pk=wave_id))
        if wave.state != WaveState.SCHEDULED:
            continue
        try:
            if reason := _reason_against(wave):
                _stop_before_freeze(wave, WaveState.PAUSED, reason)
                continue
            frozen += freeze.freeze(wave).frozen_at is not None
        except freeze.NothingToSend as error:
            _stop_before_freeze(wave, WaveState.CANCELLED, str(error))
        except Exception:
            logger.exception("freeze failed", extra={"wave": wave.pk})
            if transaction.get_connection().in_atomic_block:
                raise
            _stop_before_freeze(wave, WaveState.PAUSED, _("The mail could not be written. We have been told."))
    return frozen


def stop_recalled() -> None:
    """Stop waves of what was recalled, whoever recalled it and however; a correction goes on."""
    recalled = Q(hop__state=HopState.RECALLED) | Q(hop__cascade__state=CascadeState.RECALLED)
    recalled &= ~Q(kind=WaveKind.CORRECTION)
    _stop(Wave.objects.filter(recalled), _("The vendor recalled this item."))


def stop_all(cascade: Cascade, because: str) -> None:
    """End every sending of ``cascade`` that has not ended; ``because`` is what its senders read."""
    _stop(Wave.objects.filter(hop__cascade=cascade), because)


def _stop(waves: QuerySet[Wave], because: str) -> None:
    for wave_id in list(waves.filter(_UNDER_WAY, stop_requested=False).values_list("pk", flat=True)):
        with transaction.atomic():
            wave = _locked(Wave(pk=wave_id))
            if wave.frozen_at is None:
                _cancel_unfrozen(wave, because)
            else:
                _request_stop(wave, because)


_UNDER_WAY = Q(state__in=[WaveState.DRAFT, WaveState.SCHEDULED, *_MOVING])


# --- progress -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far a wave is, as its sender may know it: covered people look like everybody."""

    total: int  # people the audience named
    sent: int
    waiting: int
    retrying: int
    failed: int
    unconfirmed: int
    excluded: int  # not mailed for a reason
    cancelled: int
    per_second: float  # over the time since the first message; 0 while unknown
    seconds_left: int | None
    is_stopping: bool  # a worker has yet to obey a pause or the end
    held_because: str  # why nothing leaves although nobody paused it
    held_until: datetime | None

    @property
    def settled(self) -> int:
        """People with an outcome."""
        return self.total - self.waiting - self.retrying

    @property
    def percent(self) -> int:
        """Of everybody named, rounded down: 100 only when nobody waits."""
        return int(100 * self.settled / self.total) if self.total else 0


def progress(wave: Wave) -> Progress:
    """Where ``wave`` stands now; at most three queries."""
    states = delivery.tally(wave.deliveries.all())
    total = sum(states.values())
    sent = states.get(DeliveryState.SENT, 0)
    waiting = states.get(DeliveryState.QUEUED, 0)
    end = wave.finished_at or timezone.now()
    seconds = (end - wave.started_at).total_seconds() if wave.started_at else 0
    per_second = sent / seconds if seconds >= 1 else 0.0
    is_moving = wave.state in {WaveState.FROZEN, WaveState.SENDING}
    now = timezone.now()
    held = (
        Lane.objects.filter(chunks__wave=wave, chunks__state=ChunkState.READY, held_until__gt=now).first()
        if is_moving
        else None
    )
    leased = wave.state in _MOVING and wave.chunks.filter(state=ChunkState.LEASED).exists()
    return Progress(
        total=total,
        sent=sent,
        waiting=waiting,
        retrying=states.get(DeliveryState.RETRYING, 0),
        failed=states.get(DeliveryState.FAILED, 0),
        unconfirmed=states.get(DeliveryState.UNCONFIRMED, 0),
        excluded=states.get(DeliveryState.SUPPRESSED, 0),
        cancelled=states.get(DeliveryState.CANCELLED, 0),
        per_second=per_second,
        seconds_left=round(waiting / per_second) if is_moving and waiting and per_second and held is None else None,
        is_stopping=leased and (wave.stop_requested or wave.state == WaveState.PAUSED),
        held_because=held.held_because if held else "",
        held_until=held.held_until if held else None,
    )


# --- parts --------------------------------------------------------------------------------------------------------


def base_url(organization: Organization) -> str:
    """What links in mails of ``organization`` start with: its own verified host, else the installation's address."""
    host = OrganizationHost.objects.filter(organization=organization, verified_at__isnull=False).order_by("pk").first()
    if host is None:
        return settings.BASE_URL.rstrip("/")
    scheme, _separator, rest = settings.BASE_URL.partition("://")
    _host, colon, port = rest.partition("/")[0].rpartition(":") if ":" in rest else (rest, "", "")
    return f"{scheme}://{host.host}{colon}{port}"


def _locked(wave: Wave) -> Wave:
    return (
        Wave.objects.select_for_update(of=("self",))
        .select_related("hop__cascade", "hop__organization__brand")
        .get(pk=wave.pk)
    )


def _locked_hop(hop: Hop) -> Hop:
    return Hop.objects.select_for_update(of=("self",)).select_related("cascade", "organization").get(pk=hop.pk)


def _fresh(wave: Wave) -> Wave:
    return Wave.objects.select_related("hop__cascade", "hop__organization__brand").get(pk=wave.pk)


def _next_kind(hop: Hop) -> WaveKind:
    earlier = hop.waves.filter(kind__in=CLAIMING_KINDS).exclude(state__in=[WaveState.DRAFT, WaveState.CANCELLED])
    return WaveKind.LATE_JOINERS if earlier.exists() else WaveKind.INITIAL


def _forbidden(hop: Hop) -> str:
    """Why this hop may send nothing now; empty if it may."""
    if hop.tier == Tier.RESELLERS:
        if reason := closed_because(hop):
            return reason
        return "" if hop.state == HopState.ACCEPTED else _("Accept the item before you send it.")
    if hop.cascade.state == CascadeState.RECALLED:
        return _("This item was recalled.")
    return "" if hop.cascade.state == CascadeState.OPEN else _("This item is not open.")


def _reason_against(wave: Wave) -> str:
    """Why this wave may not leave now; empty if it may. A correction leaves even after the recall it is about."""
    if wave.kind == WaveKind.CORRECTION:
        return ""
    if reason := _forbidden(wave.hop):
        return reason
    # A frozen wave has its people and its text already.
    checks = _checks if wave.frozen_at is None else []
    return next((reason for check in checks if (reason := check(wave))), "")


def _schedule(wave: Wave, at: datetime, undo_until: datetime | None) -> None:
    if reason := _reason_against(wave):
        raise NotPossible(reason)
    wave.state, wave.scheduled_at, wave.undo_until, wave.stopped_because = WaveState.SCHEDULED, at, undo_until, ""
    wave.save(update_fields=["state", "scheduled_at", "undo_until", "stopped_because"])


def _pause(wave: Wave, because: str) -> None:
    wave.state, wave.stopped_because = WaveState.PAUSED, because
    wave.save(update_fields=["state", "stopped_because"])


def _cancel_unfrozen(wave: Wave, because: str) -> None:
    wave.state, wave.stopped_because, wave.finished_at = WaveState.CANCELLED, because, timezone.now()
    wave.save(update_fields=["state", "stopped_because", "finished_at"])


def _request_stop(wave: Wave, because: str) -> None:
    wave.stop_requested, wave.stopped_because = True, because
    wave.save(update_fields=["stop_requested", "stopped_because"])
    delivery.finish_stop(wave)


def _stop_before_freeze(wave: Wave, state: WaveState, because: str) -> None:
    Wave.objects.filter(pk=wave.pk, state=WaveState.SCHEDULED, frozen_at=None).update(
        state=state,
        stopped_because=because[:300],
        finished_at=timezone.now() if state == WaveState.CANCELLED else None,
    )


def _note(wave: Wave, kind: LedgerKind, by: User, **data: str) -> None:
    now = timezone.now()
    LedgerEvent.objects.create(
        cascade_id=wave.hop.cascade_id,
        hop_id=wave.hop_id,
        kind=kind,
        organization_id=wave.hop.organization_id,
        actor=by,
        at=now,
        data={"wave": wave.pk, **data},
        key=f"wave:{wave.pk}:{kind}:{now.isoformat()}",
    )
