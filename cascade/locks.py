"""Who must not count at the same time: acts of people and the writing of edges.

An act credits the edges it sees; a freeze credits the acts it sees. Were both to run at once, neither would see the
other's row and the credit would be lost. So an act holds its cascades *shared* (acts do not wait for each other) and
whoever writes edges holds the cascade *alone*, both until the transaction ends. SQLite has one writer anyway.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

NAMESPACE = 0x0C45  # first key of our advisory locks; the second is the cascade


def hold_shared(cascade_ids: Iterable[int]) -> None:
    """Hold cascades against writers of edges, together with other acts."""
    _lock("pg_advisory_xact_lock_shared", cascade_ids)


def hold_alone(cascade_ids: Iterable[int]) -> None:
    """Hold cascades against everybody else who counts."""
    _lock("pg_advisory_xact_lock", cascade_ids)


def _lock(function: str, cascade_ids: Iterable[int]) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for cascade_id in sorted(set(cascade_ids)):  # one order for all, else two holders wait for each other
            cursor.execute(f"SELECT {function}(%s, %s)", [NAMESPACE, cascade_id % 2**31])
