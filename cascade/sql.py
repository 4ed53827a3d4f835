"""The statements of the delivery engine that differ between PostgreSQL and SQLite, in two dialects.

Each method is one step that must be atomic. On PostgreSQL it is one statement wherever a stopped process could
otherwise keep a row locked between two; SQLite has one writer, and cannot change two tables in a statement, so there
it is one transaction. Times are the database's clock, so that workers whose clocks differ agree on leases.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import connection, transaction

from cascade.enums import CounterName, WaveState

_LEAVING = f"('{WaveState.FROZEN}', '{WaveState.SENDING}')"
# States that have a counter of the same name.
_COUNTED = ", ".join(
    f"'{name}'" for name in (CounterName.SENT, CounterName.FAILED, CounterName.UNCONFIRMED, CounterName.SUPPRESSED)
)


@dataclass(frozen=True, slots=True)
class Lease:
    """A chunk held by ``owner``; ``epoch`` fences every write, so that a former holder changes nothing."""

    chunk_id: int
    wave_id: int
    number: int
    language: str
    size: int
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class LostLease:
    """A chunk taken over from a holder that is gone, with what its write-ahead window says."""

    lease: Lease
    former_owner: str
    former_epoch: int
    started_id: int
    done_id: int
    results: list[list[Any]]


@dataclass(slots=True)
class Result:
    """What became of one delivery of a chunk. ``at`` is when; ``not_before`` only for a retry."""

    id: int
    state: str
    at: datetime
    code: int | None = None
    detail: str = ""
    reason: str = ""
    tried: int = 0  # 1 if an attempt was used up
    not_before: datetime | None = None


_CLAIM = """
UPDATE cascade_chunk SET state = 'leased', owner = %s, epoch = epoch + 1, lease_until = {lease_until},
       started_id = 0, done_id = 0, results = '[]'
 WHERE id = (SELECT k.id FROM cascade_chunk k
               JOIN cascade_wave w ON w.id = k.wave_id
               JOIN cascade_lane l ON l.id = k.lane_id
              WHERE k.lane_id = %s AND k.state = 'ready' AND k.not_before <= {now}
                AND w.state IN {leaving} AND NOT w.stop_requested
                AND (l.held_until IS NULL OR l.held_until <= {now})
              ORDER BY k.priority DESC, k.not_before, k.id LIMIT 1 {skip_locked})
RETURNING id, wave_id, number, language, size, owner, epoch
"""

_ADVANCE = """
UPDATE cascade_chunk SET started_id = %s, done_id = %s, results = {json}, lease_until = {lease_until}
 WHERE id = %s AND owner = %s AND epoch = %s AND state = 'leased' AND lease_until > {now}
   AND EXISTS (SELECT 1 FROM cascade_wave w
                 JOIN cascade_hop h ON h.id = w.hop_id
                 JOIN cascade_cascade c ON c.id = h.cascade_id
                WHERE w.id = cascade_chunk.wave_id AND w.state IN {leaving} AND NOT w.stop_requested
                  AND (w.kind = 'correction' OR (h.state <> 'recalled' AND c.state <> 'recalled')))
"""

_TAKE_OVER = """
UPDATE cascade_chunk SET owner = %s, epoch = epoch + 1, lease_until = {lease_until}
 WHERE id = (SELECT k.id FROM cascade_chunk k
              WHERE k.id = %s AND k.state = 'leased' AND k.owner = %s AND k.epoch = %s {skip_locked})
RETURNING id, wave_id, number, language, size, owner, epoch, started_id, done_id, results
"""

_CHANGED_COLUMNS = """
   state = v.state, code = v.code, detail = v.detail, reason = v.reason,
   attempts = {table}.attempts + v.tried, not_before = v.not_before,
   sent_at = CASE WHEN v.state = 'sent' THEN v.at ELSE {table}.sent_at END,
   passed_at = CASE WHEN v.state IN ('queued', 'retrying') THEN {table}.passed_at
                    ELSE COALESCE({table}.passed_at, v.at) END
"""


class Dialect:
    """What both databases share."""

    now: ClassVar[str]
    plus_seconds: ClassVar[str]  # the clock so many seconds (a parameter) from now
    skip_locked: ClassVar[str] = ""
    json: ClassVar[str] = "%s"
    false: ClassVar[str]
    true: ClassVar[str]

    def _format(self, statement: str) -> str:
        return statement.format(
            now=self.now,
            lease_until=self.plus_seconds,
            skip_locked=self.skip_locked,
            json=self.json,
            leaving=_LEAVING,
        )

    def prepare_session(self) -> None:
        """Settings a connection needs before it may lease."""

    def is_in(self, column: str, values: Iterable[Any]) -> tuple[str, Any]:
        """A condition for any number of values, with its one parameter."""
        raise NotImplementedError

    def seconds_since(self, column: str) -> str:
        """Expression for the seconds between a column and the database's clock."""
        raise NotImplementedError

    def timestamp(self, at: datetime | None) -> str | None:
        """A time as text that the database compares correctly with its own."""
        raise NotImplementedError

    def claim(self, lane_id: int, owner: str, seconds: float) -> Lease | None:
        """Lease the next chunk of a lane that is due and whose wave is leaving; None if there is none."""
        with connection.cursor() as cursor:
            cursor.execute(self._format(_CLAIM), [owner, seconds, lane_id])
            row = cursor.fetchone()
        return Lease(*row) if row else None

    def advance(self, lease: Lease, started: int, done: int, results: Sequence[list[Any]], seconds: float) -> bool:
        """Write ahead: deliveries up to ``started`` may leave, those up to ``done`` are known.

        Extends the lease. False if the lease is lost or the wave may not send any more (paused, cancelled, recalled).
        """
        with connection.cursor() as cursor:
            cursor.execute(
                self._format(_ADVANCE),
                [started, done, json.dumps(results), seconds, lease.chunk_id, lease.owner, lease.epoch],
            )
            return bool(cursor.rowcount)

    def take_over(
        self, chunk_id: int, former_owner: str, former_epoch: int, owner: str, seconds: float
    ) -> LostLease | None:
        """Fence out a former holder; its window is kept. None if somebody else was first."""
        with connection.cursor() as cursor:
            cursor.execute(self._format(_TAKE_OVER), [owner, seconds, chunk_id, former_owner, former_epoch])
            row = cursor.fetchone()
        if row is None:
            return None
        *lease, started, done, results = row
        results = json.loads(results) if isinstance(results, str) else results
        return LostLease(Lease(*lease), former_owner, former_epoch, started, done, results)

    def expired(self) -> list[tuple[int, str, int, bool]]:
        """Leased chunks as (id, owner, epoch, whether the lease ran out), the oldest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, owner, epoch, lease_until <= {self.now} FROM cascade_chunk"
                " WHERE state = 'leased' ORDER BY lease_until",
                [],  # with parameters, so that "%%" of the clock becomes "%"
            )
            return [(pk, owner, epoch, bool(is_over)) for pk, owner, epoch, is_over in cursor.fetchall()]

    def settle(self, lease: Lease, hop_id: int, results: Sequence[Result], state: str, not_before: datetime) -> bool:
        """Write the results of a chunk, its new state and the counters' deltas, if the lease is still ours."""
        raise NotImplementedError

    def settle_late(self, hop_id: int, results: Sequence[Result]) -> int:
        """Settle deliveries that were declared unconfirmed while their holder still waited for the reply."""
        raise NotImplementedError

    def _rows(self, results: Sequence[Result]) -> str:
        return json.dumps(
            [
                {
                    "id": result.id,
                    "state": result.state,
                    "at": self.timestamp(result.at),
                    "code": result.code,
                    "detail": result.detail,
                    "reason": result.reason,
                    "tried": result.tried,
                    "not_before": self.timestamp(result.not_before),
                }
                for result in results
            ]
        )


class PostgreSQL(Dialect):
    """PostgreSQL 15 and later."""

    now = "clock_timestamp()"
    plus_seconds = "clock_timestamp() + %s * interval '1 second'"
    skip_locked = "FOR UPDATE OF k SKIP LOCKED"
    json = "%s::jsonb"
    false, true = "false", "true"
    _results = (
        "jsonb_to_recordset(%s::jsonb) AS v(id bigint, state text, at timestamptz, code smallint, detail text,"
        " reason text, tried smallint, not_before timestamptz)"
    )

    def prepare_session(self) -> None:
        """The window must be on disk before a message leaves; a worker stopped in a transaction must not block."""
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            cursor.execute("SET idle_in_transaction_session_timeout = '60s'")

    def is_in(self, column: str, values: Iterable[Any]) -> tuple[str, Any]:
        """See Dialect."""
        return f"{column} = ANY(%s)", list(values)

    def seconds_since(self, column: str) -> str:
        """See Dialect."""
        return f"EXTRACT(EPOCH FROM clock_timestamp() - {column})"

    def timestamp(self, at: datetime | None) -> str | None:
        """See Dialect."""
        return at.isoformat() if at else None

    def settle(self, lease: Lease, hop_id: int, results: Sequence[Result], state: str, not_before: datetime) -> bool:
        """See Dialect."""
        statement = f"""
            WITH settled AS (
                UPDATE cascade_chunk
                   SET state = %s, not_before = %s, owner = '', lease_until = NULL, started_id = 0, done_id = 0,
                       results = '[]'
                 WHERE id = %s AND owner = %s AND epoch = %s AND state = 'leased' RETURNING id),
            changed AS (
                UPDATE cascade_delivery SET {_CHANGED_COLUMNS.format(table="cascade_delivery")}
                  FROM {self._results}
                 WHERE cascade_delivery.id = v.id AND cascade_delivery.state IN ('queued', 'covered')
                   AND EXISTS (SELECT 1 FROM settled)
             RETURNING v.state AS state),
            counted AS (
                INSERT INTO cascade_counterdelta (hop_id, name, delta)
                SELECT %s, state, COUNT(*) FROM changed WHERE state IN ({_COUNTED}) GROUP BY state)
            SELECT COUNT(*) FROM settled"""
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                [state, not_before, lease.chunk_id, lease.owner, lease.epoch, self._rows(results), hop_id],
            )
            return bool(cursor.fetchone()[0])

    def settle_late(self, hop_id: int, results: Sequence[Result]) -> int:
        """See Dialect."""
        statement = f"""
            WITH changed AS (
                UPDATE cascade_delivery SET {_CHANGED_COLUMNS.format(table="cascade_delivery")}
                  FROM {self._results}
                 WHERE cascade_delivery.id = v.id AND cascade_delivery.state = 'unconfirmed'
             RETURNING v.state AS state),
            counted AS (
                INSERT INTO cascade_counterdelta (hop_id, name, delta)
                SELECT %s, state, COUNT(*) FROM changed WHERE state IN ({_COUNTED}) GROUP BY state
                 UNION ALL
                SELECT %s, 'unconfirmed', -COUNT(*) FROM changed HAVING COUNT(*) > 0)
            SELECT COUNT(*) FROM changed"""
        with connection.cursor() as cursor:
            cursor.execute(statement, [self._rows(results), hop_id, hop_id])
            return cursor.fetchone()[0]


class SQLite(Dialect):
    """SQLite 3.37 and later, one writer at a time."""

    now = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"
    plus_seconds = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', CAST(%s AS TEXT) || ' seconds')"
    false, true = "0", "1"
    _results = (
        "(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.state') AS state,"
        " json_extract(value, '$.at') AS at, json_extract(value, '$.code') AS code,"
        " json_extract(value, '$.detail') AS detail, json_extract(value, '$.reason') AS reason,"
        " json_extract(value, '$.tried') AS tried, json_extract(value, '$.not_before') AS not_before"
        " FROM json_each(%s)) AS v"
    )

    def is_in(self, column: str, values: Iterable[Any]) -> tuple[str, Any]:
        """See Dialect."""
        return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(list(values))

    def seconds_since(self, column: str) -> str:
        """See Dialect."""
        return f"((julianday('now') - julianday({column})) * 86400.0)"

    def timestamp(self, at: datetime | None) -> str | None:
        """See Dialect."""
        return str(at.astimezone(UTC).replace(tzinfo=None)) if at else None

    def settle(self, lease: Lease, hop_id: int, results: Sequence[Result], state: str, not_before: datetime) -> bool:
        """See Dialect."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE cascade_chunk SET state = %s, not_before = %s, owner = '', lease_until = NULL, started_id = 0,"
                " done_id = 0, results = '[]' WHERE id = %s AND owner = %s AND epoch = %s AND state = 'leased'",
                [state, self.timestamp(not_before), lease.chunk_id, lease.owner, lease.epoch],
            )
            if not cursor.rowcount:
                return False
            self._change(cursor, hop_id, results, from_states="'queued', 'covered'")
        return True

    def settle_late(self, hop_id: int, results: Sequence[Result]) -> int:
        """See Dialect."""
        with transaction.atomic(), connection.cursor() as cursor:
            changed = self._change(cursor, hop_id, results, from_states="'unconfirmed'")
            if changed:
                cursor.execute(
                    "INSERT INTO cascade_counterdelta (hop_id, name, delta) VALUES (%s, 'unconfirmed', %s)",
                    [hop_id, -changed],
                )
        return changed

    def _change(self, cursor: Any, hop_id: int, results: Sequence[Result], *, from_states: str) -> int:
        rows = self._rows(results)
        counted = (
            f"INSERT INTO cascade_counterdelta (hop_id, name, delta) SELECT %s, v.state, COUNT(*) FROM {self._results}"
            f" JOIN cascade_delivery d ON d.id = v.id WHERE d.state IN ({from_states}) AND v.state IN ({_COUNTED})"
            " GROUP BY v.state"
        )
        cursor.execute(counted, [hop_id, rows])
        cursor.execute(
            f"UPDATE cascade_delivery SET {_CHANGED_COLUMNS.format(table='cascade_delivery')} FROM {self._results}"
            f" WHERE cascade_delivery.id = v.id AND cascade_delivery.state IN ({from_states})",
            [rows],
        )
        return cursor.rowcount


def dialect() -> Dialect:
    """The dialect of the default database."""
    return PostgreSQL() if connection.vendor == "postgresql" else SQLite()
