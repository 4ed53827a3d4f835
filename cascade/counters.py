"""Counts per hop that always equal a recount of the facts.

A change of state writes a *delta* row in its own transaction, and only if the state really changed. ``fold`` adds
deltas to counters every two seconds; ``read`` gives counters plus pending deltas, so a stopped folder never lies.

Who writes which name: the delivery engine FROZEN, SENT, FAILED, UNCONFIRMED, SUPPRESSED, COVERED, CANCELLED and
BOUNCED, beside the change of a delivery's state or evidence; ``cascade.completion`` RESELLERS, RESELLERS_DONE and
PEOPLE_DONE. On the vendor's own hop these last three hold the whole cascade, every reseller and person once, however
many distributors serve them.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from cascade.enums import CounterName, DeliveryState, Evidence, Tier
from cascade.locks import hold_alone
from cascade.models import Counter, CounterDelta, Delivery, Edge, Hop, LedgerEvent, OrganizationCompletion

Counts = collections.Counter[str]  # CounterName value → count; a name that never changed reads 0

DONE_KEY = "done:"  # key of the one event by which a person counts as done in a hop
FOLD_AT_ONCE = 20_000
_BATCH = 400  # ids per statement; SQLite takes 999 parameters

_STATE_NAMES = {
    CounterName.SENT: DeliveryState.SENT,
    CounterName.FAILED: DeliveryState.FAILED,
    CounterName.UNCONFIRMED: DeliveryState.UNCONFIRMED,
    CounterName.SUPPRESSED: DeliveryState.SUPPRESSED,
    CounterName.COVERED: DeliveryState.COVERED,
    CounterName.CANCELLED: DeliveryState.CANCELLED,
}


def add(changes: Iterable[tuple[int, str, int]]) -> None:
    """Note changes as (hop id, name, difference); call it in the transaction that changed the facts."""
    sums: collections.Counter[tuple[int, str]] = collections.Counter()
    for hop_id, name, delta in changes:
        sums[hop_id, name] += delta
    CounterDelta.objects.bulk_create(
        [CounterDelta(hop_id=hop, name=name, delta=delta) for (hop, name), delta in sorted(sums.items()) if delta]
    )


def read(hops: QuerySet[Hop] | Iterable[Hop | int]) -> dict[int, Counts]:
    """Counts of each hop, in one statement (a queryset, any size) or one per 400 hops.

    Counters and deltas are read by the same statement: between two, a fold would count twice or not at all.
    """
    if isinstance(hops, QuerySet):
        ids = list(hops.values_list("pk", flat=True)) if hops.query.is_sliced else None
        batches: Iterable[object] = _batches(ids) if ids is not None else [hops.order_by().values("pk")]
    else:
        batches = _batches([hop if isinstance(hop, int) else hop.pk for hop in hops])
    counts: dict[int, Counts] = collections.defaultdict(collections.Counter)
    for batch in batches:
        folded = Counter.objects.filter(hop__in=batch).values_list("hop_id", "name", "value")
        pending = CounterDelta.objects.filter(hop__in=batch).order_by().values_list("hop_id", "name", "delta")
        for hop_id, name, value in folded.order_by().union(pending, all=True):
            counts[hop_id][name] += value
    return counts


def fold(limit: int = FOLD_AT_ONCE) -> int:
    """Add pending deltas to counters. Returns the number of deltas folded; safe to run twice at a time."""
    with transaction.atomic():
        deltas = list(CounterDelta.objects.select_for_update(skip_locked=True).order_by("pk")[:limit])
        if not deltas:
            return 0
        sums: collections.Counter[tuple[int, str]] = collections.Counter()
        for delta in deltas:
            sums[delta.hop_id, delta.name] += delta.delta
        _add_to_counters(sums)
        for batch in _batches([delta.pk for delta in deltas]):
            CounterDelta.objects.filter(pk__in=batch).delete()
    return len(deltas)


def recount(hop: Hop) -> Counts:
    """What the counters of ``hop`` should be, from the facts alone."""
    counts = _recount_resellers(hop)
    counts[CounterName.PEOPLE_DONE] = LedgerEvent.objects.filter(hop=hop, key__startswith=DONE_KEY).count()
    deliveries = Delivery.objects.filter(wave__hop=hop)
    totals = deliveries.aggregate(
        **{name.value: Count("pk", filter=Q(state=state)) for name, state in _STATE_NAMES.items()},
        **{
            CounterName.FROZEN.value: Count("pk"),
            CounterName.BOUNCED.value: Count("pk", filter=Q(evidence=Evidence.BOUNCED)),
        },
    )
    counts.update(totals)
    return counts


def differences(hop: Hop) -> dict[str, tuple[int, int]]:
    """Names whose counter differs from a recount, as (counter, recount). Empty when all is well."""
    with _snapshot():
        have, facts = read([hop])[hop.pk], recount(hop)
    return {name: (have[name], facts[name]) for name in sorted({*have, *facts}) if have[name] != facts[name]}


def repair(hop: Hop) -> dict[str, tuple[int, int]]:
    """Make the counters of ``hop`` equal a recount, through deltas. Returns what differed."""
    with transaction.atomic():
        hold_alone([hop.cascade_id])
        found = differences(hop)
        add((hop.pk, name, facts - have) for name, (have, facts) in found.items())
    return found


def settle(hops: Iterable[Hop]) -> None:
    """Bring RESELLERS and RESELLERS_DONE of ``hops`` to a recount, after edges were written.

    The caller holds the cascade alone (``cascade.locks``), so that nobody else changes these facts meanwhile.
    """
    hops = list(hops)
    have = read(hops)
    add((hop.pk, name, value - have[hop.pk][name]) for hop in hops for name, value in _recount_resellers(hop).items())


def _recount_resellers(hop: Hop) -> Counts:
    """Resellers given the item and resellers done: by this hop, or in the vendor's hop by anybody."""
    edges = Edge.objects.filter(hop__tier=Tier.RESELLERS, cascade_id=hop.cascade_id)
    if hop.tier == Tier.RESELLERS:
        edges = edges.filter(hop=hop)
    given = edges.values("organization_id")
    done = OrganizationCompletion.objects.filter(cascade_id=hop.cascade_id, organization__in=given)
    return collections.Counter(
        {
            CounterName.RESELLERS.value: edges.aggregate(n=Count("organization_id", distinct=True))["n"],
            CounterName.RESELLERS_DONE.value: done.count(),
        }
    )


def _add_to_counters(sums: Mapping[tuple[int, str], int]) -> None:
    """Upsert in key order: two folders in opposite order would wait for each other."""
    rows = sorted(sums.items())
    table = connection.ops.quote_name(Counter._meta.db_table)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _BATCH // 2):
            batch = rows[start : start + _BATCH // 2]
            cursor.execute(
                f"INSERT INTO {table} (hop_id, name, value) VALUES {', '.join(['(%s, %s, %s)'] * len(batch))} "
                f"ON CONFLICT (hop_id, name) DO UPDATE SET value = {table}.value + excluded.value",
                [parameter for (hop, name), value in batch for parameter in (hop, name, value)],
            )


def _batches(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


@contextmanager
def _snapshot() -> Iterator[None]:
    """Let several statements see one state of the database; inside a caller's transaction nothing is changed."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
