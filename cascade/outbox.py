"""Transactional mail: a row first, then the relay. A dead mail server breaks no page and loses no invitation.

``OutboxEmailBackend`` is the settings' EMAIL_BACKEND, so allauth's mails and ours go the same way. Rows are drained at
once and by the sweeper, ahead of every wave. A row is leased by itself before it may leave; after a crash a leased row
is unconfirmed and never sent again by the machine (whoever waits for it asks for another).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from email.utils import parseaddr
from random import uniform
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import sanitize_address
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from cascade import journal, lanes, stopping, tasks
from cascade.enums import OutboxState
from cascade.models import OutboxMessage
from cascade.transport import Outcome, Outgoing, RelayFault, Reply, Transport, default_transport

logger = logging.getLogger(__name__)

RETRY_MINUTES = (1, 5, 15, 60, 240)
LEASE_SECONDS = 700  # longer than the transport waits for the reply to the final dot
SLICE_SECONDS = 50.0


class OutboxEmailBackend(BaseEmailBackend):
    """Writes each message as rows, one per recipient, in the caller's transaction."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Returns how many messages were taken. Raises only for a message that could never be sent."""
        taken = 0
        for message in email_messages:
            if message.recipients():
                add(message)
                taken += 1
        return taken


def add(message: EmailMessage) -> list[OutboxMessage]:
    """Queue one Django message; it leaves when the transaction has committed. Raises ValueError on a bad address."""
    encoding = message.encoding or settings.DEFAULT_CHARSET
    sender = parseaddr(sanitize_address(message.from_email, encoding))[1]
    message_id = next((str(v) for name, v in message.extra_headers.items() if name.lower() == "message-id"), "")
    if not message_id:
        # Django would look up this machine's name for it, which can take seconds.
        message_id = message.extra_headers["Message-ID"] = f"<{uuid4()}@{sender.rpartition('@')[2]}>"
    raw = message.message().as_bytes(linesep="\r\n")
    addresses = [parseaddr(sanitize_address(address, encoding))[1] for address in message.recipients()]
    return add_raw(raw, sender=sender, recipients=addresses, subject=str(message.subject), message_id=message_id)


def add_raw(
    raw: bytes, *, sender: str, recipients: Sequence[str], subject: str, message_id: str
) -> list[OutboxMessage]:
    """Queue a finished message (RFC 5322, CRLF) for each of ``recipients``."""
    rows = OutboxMessage.objects.bulk_create(
        OutboxMessage(
            from_address=sender,
            recipients=[recipient],
            subject=subject[:255],
            raw=raw,
            message_id=f"{message_id}{f'+{place}' if place else ''}"[:255],
        )
        for place, recipient in enumerate(dict.fromkeys(recipients))
    )
    tasks.ring(tasks.drain_outbox)
    return rows


def is_due() -> bool:
    """Whether something may leave now."""
    return _due().exists() and lanes.is_open(lanes.transactional_lane())


def drain(*, transport: Transport | None = None, slice_seconds: float = SLICE_SECONDS) -> int:
    """Send what is due, oldest first, one at a time. Safe at once with another. Returns how many left."""
    _reap()
    lane, sent = lanes.transactional_lane(), 0
    if not lanes.is_open(lane):
        return 0
    owner = journal.owner_name()
    until = time.monotonic() + slice_seconds
    with closing(transport or default_transport()) as way_out:
        while time.monotonic() < until and not stopping.is_requested() and (row := _claim(owner)) is not None:
            try:
                reply = _send(way_out, row)
            except RelayFault as fault:
                _release(row, owner)
                lanes.hold(lane.pk, fault)
                break
            _settle(row, owner, reply)
            if reply.outcome is Outcome.SENT:
                sent += 1
                lanes.reopen(lane.pk)
    return sent


def _due() -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(state=OutboxState.QUEUED, owner="", not_before__lte=timezone.now())


def _claim(owner: str) -> OutboxMessage | None:
    with transaction.atomic():
        row = _due().select_for_update(skip_locked=True).order_by("pk").first()
        if row is not None:
            row.owner, row.lease_until = owner, timezone.now() + timedelta(seconds=LEASE_SECONDS)
            row.save(update_fields=["owner", "lease_until"])
    return row


def _send(transport: Transport, row: OutboxMessage) -> Reply:
    outgoing = Outgoing(row.pk, row.from_address, row.recipients[0], bytes(row.raw))
    try:
        return next(iter(list(transport.send([outgoing], lambda key: None))))
    except ValueError as error:  # an address that no server would take
        return Reply(row.pk, Outcome.PERMANENT, text=str(error))


def _release(row: OutboxMessage, owner: str) -> None:
    """Give a row back that certainly did not leave."""
    _mine(row, owner).update(owner="", lease_until=None)


def _settle(row: OutboxMessage, owner: str, reply: Reply) -> None:
    now = timezone.now()
    detail = " ".join(part for part in (str(reply.code or ""), reply.text) if part)[:255]
    changes: dict[str, object] = {"owner": "", "lease_until": None, "detail": detail, "attempts": F("attempts") + 1}
    match reply.outcome:
        case Outcome.SENT:
            changes |= {"state": OutboxState.SENT, "sent_at": now, "raw": b""}  # tokens in it are no longer needed
        case Outcome.UNCONFIRMED:
            changes |= {"state": OutboxState.UNCONFIRMED}
        case Outcome.PERMANENT:
            changes |= {"state": OutboxState.FAILED}
        case _ if row.attempts >= len(RETRY_MINUTES):
            changes |= {"state": OutboxState.FAILED}
        case _:
            wait = timedelta(minutes=RETRY_MINUTES[row.attempts] * uniform(0.9, 1.1))
            changes |= {"not_before": now + wait}
    _mine(row, owner).update(**changes)
    if reply.outcome is not Outcome.SENT:
        logger.warning("transactional mail not sent", extra={"outbox": row.pk, "outcome": reply.outcome})


def _mine(row: OutboxMessage, owner: str) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(pk=row.pk, owner=owner, state=OutboxState.QUEUED)


def _reap() -> None:
    """What a dead worker held may have left."""
    held = OutboxMessage.objects.filter(state=OutboxState.QUEUED).exclude(owner="")
    dead = [owner for owner in held.values_list("owner", flat=True).distinct() if journal.is_proven_dead(owner)]
    lost = held.filter(Q(lease_until__lte=timezone.now()) | Q(owner__in=dead))
    lost.update(state=OutboxState.UNCONFIRMED, owner="", lease_until=None, detail="The worker stopped.")
