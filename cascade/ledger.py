"""The append-only record of what happened at each hop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from cascade.enums import LedgerKind
from cascade.inserts import insert_new
from cascade.models import Cascade, Hop, LedgerEvent

if TYPE_CHECKING:
    from accounts.models import Organization, Person, User

# Acts of people: shown by name to the distributor whose network they are in, to the vendor as counts only.
PERSONAL_KINDS = frozenset(
    {
        LedgerKind.READ,
        LedgerKind.ACKNOWLEDGED,
        LedgerKind.REGISTERED,
        LedgerKind.ATTENDED,
        LedgerKind.PASSED,
        LedgerKind.LAUNCHED,
        LedgerKind.UNSUBSCRIBED,
    }
)


def record(
    cascade: Cascade,
    kind: LedgerKind,
    *,
    key: str,
    hop: Hop | None = None,
    person: Person | None = None,
    organization: Organization | None = None,
    by: User | None = None,
    data: dict[str, Any] | None = None,
) -> bool:
    """Write one event; a second one with the same ``key`` is dropped. Whether it was new.

    ``data`` is shown to whoever sees the hop: never put another organization's facts or anybody's address in it.
    """
    event = LedgerEvent(
        cascade=cascade,
        kind=kind,
        key=key,
        hop=hop,
        person=person,
        organization=organization or (hop.organization if hop else None),
        actor=by,
        data=data or {},
    )
    return bool(record_many([event]))


def record_many(events: Iterable[LedgerEvent]) -> list[str]:
    """Write ``events``, dropping those whose key is known; the keys of the new ones."""
    return insert_new(list(events), returning="key")


def steps(cascade: Cascade) -> QuerySet[LedgerEvent]:
    """The cascade's history without acts of people, newest first: what the vendor may read line by line."""
    return cascade.events.exclude(kind__in=PERSONAL_KINDS).select_related("organization", "actor")
