"""Lanes: which way messages leave, how fast, and whether the way is open.

A lane is a relay and a From domain. A fault that is not the recipient's holds the lane; its people stay queued and
leave when the relay is back, without anybody's click.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import DomainState
from cascade.models import Lane
from cascade.transport import FaultKind, RelayFault

if TYPE_CHECKING:
    from accounts.models import Brand, Organization

logger = logging.getLogger(__name__)

TRANSACTIONAL = "transactional"
# Seconds before the next try after the first fault, and at most; doubled by each fault in a row.
_BACK_OFF = {
    FaultKind.CONNECT: (10, 300),
    FaultKind.DROPPED: (30, 900),
    FaultKind.THROTTLED: (30, 900),
    FaultKind.TLS: (60, 3600),
    FaultKind.LOGIN: (60, 3600),
    FaultKind.SENDER: (300, 3600),
    FaultKind.POLICY: (300, 3600),
}


def platform_address() -> str:
    """The address of the installation, used as the sender where a brand's own domain is not verified."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def has_own_domain(brand: Brand | None) -> bool:
    """Whether mail may carry the brand's own address in From: only with a verified domain (DKIM, SPF, DMARC)."""
    return brand is not None and bool(brand.from_address) and brand.domain_state == DomainState.VERIFIED


def from_address(organization: Organization) -> str:
    """The address in From and in SMTP's MAIL FROM for mail of ``organization``."""
    brand = getattr(organization, "brand", None)
    return brand.from_address if brand is not None and has_own_domain(brand) else platform_address()


def lane_for(organization: Organization) -> Lane:
    """The lane for mail of ``organization``."""
    domain = from_address(organization).rpartition("@")[2].lower()
    return Lane.objects.get_or_create(name=f"relay/{domain}")[0]


def transactional_lane() -> Lane:
    """The lane of invitations and password resets."""
    return Lane.objects.get_or_create(name=TRANSACTIONAL)[0]


def is_open(lane: Lane) -> bool:
    """Whether messages may leave now."""
    return lane.held_until is None or lane.held_until <= timezone.now()


def hold(lane_id: int, fault: RelayFault) -> Lane:
    """Close a lane for a while because of ``fault``; longer after each fault in a row."""
    with transaction.atomic():
        lane = Lane.objects.select_for_update().get(pk=lane_id)
        first, most = _BACK_OFF[fault.kind]
        seconds = min(first * 2 ** min(lane.failures, 12), most) * random.uniform(0.9, 1.1)
        lane.failures += 1
        lane.held_until = timezone.now() + timedelta(seconds=seconds)
        lane.held_because = explain(fault)
        lane.save(update_fields=["failures", "held_until", "held_because"])
    logger.warning("lane held", extra={"lane": lane.name, "fault": str(fault), "seconds": round(seconds)})
    return lane


def reopen(lane_id: int) -> None:
    """Forget past faults after a message left."""
    Lane.objects.filter(pk=lane_id, failures__gt=0).update(failures=0, held_until=None, held_because="")


@contextmanager
def bucket(lane: Lane) -> Iterator[Callable[[int], None] | None]:
    """Hold the lane's token bucket while a chunk is claimed; yields what takes the chunk's size out of it.

    None while the bucket is empty. It is emptied below zero by a chunk and then refills with the lane's rate, so that a
    throttle delays a claim and never touches a message. Correct over many workers and restarts: it is in the row.
    """
    if lane.rate is None:
        yield lambda size: None
        return
    with transaction.atomic():
        held = Lane.objects.select_for_update().get(pk=lane.pk)
        rate = held.rate or 0
        now = timezone.now()
        tokens = min(held.tokens + (now - held.refilled_at).total_seconds() * rate, rate)

        def take(size: int) -> None:
            Lane.objects.filter(pk=held.pk).update(tokens=tokens - size, refilled_at=now)

        yield take if tokens > 0 else None


def explain(fault: RelayFault) -> str:
    """The fault in words for people who send, with the relay's own words for those who run it."""
    words = {
        FaultKind.CONNECT: _("The mail server cannot be reached."),
        FaultKind.DROPPED: _("The mail server keeps cutting the connection."),
        FaultKind.THROTTLED: _("The mail server asks us to slow down."),
        FaultKind.TLS: _("A secure connection to the mail server is not possible."),
        FaultKind.LOGIN: _("The mail server refuses our user name or password."),
        FaultKind.SENDER: _("The mail server refuses our sender address."),
        FaultKind.POLICY: _("The mail server refuses our mail for everybody."),
    }[fault.kind]
    reply = " ".join(part for part in (str(fault.code or ""), fault.text) if part)
    return f"{words} ({reply})"[:300] if reply else words
