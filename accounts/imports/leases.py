"""One worker at a time for one import; a worker that died is replaced, and one that was replaced can write nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.enums import WORKING_IMPORT_STATES
from accounts.models import NetworkImport

LEASE = timedelta(seconds=60)  # renewed with every chunk; a chunk takes well under a second
MAX_ATTEMPTS = 6
ROUND = 100  # epochs: every step of an import starts a new hundred, its attempts count within


class LeaseLost(Exception):
    """Somebody else works on this import, or it was discarded: stop at once."""


def claim(pk: int) -> NetworkImport | None:
    """The import, leased to the caller; None when there is nothing to do or another worker does it."""
    now = timezone.now()
    free = NetworkImport.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), pk=pk)
    if not free.filter(state__in=WORKING_IMPORT_STATES).update(
        lease_until=now + LEASE, lease_epoch=F("lease_epoch") + 1
    ):
        return None
    return NetworkImport.objects.select_related("owner", "uploaded_by").get(pk=pk)


@contextmanager
def chunk(leased: NetworkImport, **updates: Any) -> Iterator[None]:
    """A transaction that renews the lease, writes ``updates`` and commits only while the lease holds.

    The first statement takes the import's row, so a discard waits for the chunk, not for the file.
    """
    with transaction.atomic():
        keep(leased, **updates)
        yield


def keep(leased: NetworkImport, **updates: Any) -> None:
    """Renew the lease and write ``updates`` in one statement. Raises LeaseLost."""
    held = NetworkImport.objects.filter(pk=leased.pk, lease_epoch=leased.lease_epoch, state=leased.state)
    if not held.update(**{"lease_until": timezone.now() + LEASE, **updates}):
        raise LeaseLost
    for name, value in updates.items():
        setattr(leased, name, value)
