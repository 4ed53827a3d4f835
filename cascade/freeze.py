"""From an audience to deliveries: whom a wave mails, decided once, in set-based SQL.

Everybody the audience names gets a row: who may not be mailed is a row with a reason, who has the item from another
sender already is *covered*, so that ``frozen_count`` equals the sum over all states at any time. Freezing is
idempotent, and nothing leaves before it has committed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cascade import completion, compose, lanes
from cascade.audience import Audience, AudienceCounts
from cascade.enums import CLAIMING_KINDS, DeliveryState, Exclusion, Tier, WaveKind, WaveState
from cascade.locks import hold_alone
from cascade.models import Chunk, CounterDelta, Hop, Wave
from cascade.sql import Dialect, dialect

logger = logging.getLogger(__name__)

CHUNK_SIZE = 500  # deliveries; what a killed worker can leave in doubt is bounded by the window, not by this
CHUNK_SECONDS = 5  # of its lane's rate, so that a slow lane can be stopped between chunks
SMALL_WAVE_PRIORITY = 10  # a wave of one chunk overtakes the chunks of big ones


class NothingToSend(Exception):
    """Nobody in the audience can be mailed; the text may be shown."""


# --- the audience as SQL ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """A SELECT with its parameters. Columns: address_id, person_id, organization_id, contact_id, email, name, company,
    language, reason (empty: may be mailed) and is_covered (1: somebody else's message brought the item)."""

    sql: str
    params: tuple[Any, ...]


# Why an address may not be mailed; the first that applies. {consent} is left out where a person was mailed before.
_REASON = """
CASE WHEN NOT n.is_active THEN 'inactive'
     WHEN n.address_state = 'bounced' THEN 'bounced'
     WHEN n.address_state = 'complained' THEN 'complained'
     ELSE COALESCE(
       (SELECT CASE s.reason WHEN 'erased' THEN 'by_hand' ELSE s.reason END FROM accounts_suppression s
         WHERE s.email_hash = n.email_hash
           AND (s.scope = 'global' OR (s.scope = 'sender' AND s.sender_id = %s)
                OR (s.scope = 'topic' AND s.topic = %s))
         ORDER BY s.id LIMIT 1),
       {consent})
END
"""
_CONSENT = """
CASE WHEN n.joined = 1 OR EXISTS (SELECT 1 FROM accounts_consent k WHERE k.address_id = n.address_id
                                    AND k.sender_id = %s AND k.topic IN ('', %s)) THEN '' ELSE 'no_consent' END
"""

# Contacts of the sender and members of the organizations, one row per address: an active row before an inactive one,
# the sender's own record of a person before what the person calls itself. Whoever signed up has given a basis.
_NAMED = """
WITH companies AS ({companies}),
named AS (
  SELECT c.id AS contact_id, o.id AS organization_id, a.id AS address_id, a.person_id, a.email, a.email_hash,
         a.state AS address_state, COALESCE(NULLIF(c.name, ''), p.name) AS name, o.company,
         COALESCE(NULLIF(p.language, ''), NULLIF(c.language, ''), o.language) AS language, c.function,
         CASE WHEN c.is_active THEN 1 ELSE 0 END AS active, 0 AS joined
    FROM accounts_contact c
    JOIN companies o ON o.id = c.organization_id
    JOIN accounts_address a ON a.id = c.address_id
    JOIN accounts_person p ON p.id = a.person_id
   WHERE c.owner_id = %s
  UNION ALL
  SELECT NULL, o.id, a.id, a.person_id, a.email, a.email_hash, a.state,
         COALESCE(NULLIF(u.name, ''), p.name), o.company,
         COALESCE(NULLIF(p.language, ''), o.language), m.function,
         CASE WHEN u.is_active THEN 1 ELSE 0 END, 1
    FROM accounts_membership m
    JOIN companies o ON o.id = m.organization_id
    JOIN accounts_user u ON u.id = m.user_id
    JOIN accounts_address a ON a.email = u.email
    JOIN accounts_person p ON p.id = a.person_id),
wanted AS (SELECT n.* FROM named n WHERE {filters}),
ranked AS (
  SELECT w.*, MAX(w.joined) OVER (PARTITION BY w.address_id) AS has_joined,
         ROW_NUMBER() OVER (PARTITION BY w.address_id
                            ORDER BY w.active DESC, w.joined, w.contact_id, w.organization_id) AS place
    FROM wanted w)
SELECT n.address_id, n.person_id, n.organization_id, n.contact_id, n.email, n.name, n.company, {language} AS language,
       {reason} AS reason, 0 AS is_covered
  FROM (SELECT contact_id, organization_id, address_id, person_id, email, email_hash, address_state, name, company,
               language, {is_active} AS is_active, has_joined AS joined FROM ranked WHERE place = 1) n
 WHERE NOT EXISTS (SELECT 1 FROM cascade_delivery d JOIN cascade_wave v ON v.id = d.wave_id
                    WHERE v.hop_id = %s AND v.id <> %s AND v.kind IN ('initial', 'late_joiners')
                      AND d.address_id = n.address_id AND d.state NOT IN ('cancelled', 'suppressed'))
"""

_RESELLERS = """
SELECT o.id, COALESCE(NULLIF(l.name_as_known, ''), o.name) AS company, o.language
  FROM accounts_networklink l JOIN accounts_organization o ON o.id = l.downstream_id
 WHERE l.upstream_id = %s AND l.status = 'active' AND o.kind = 'reseller'
"""
_DISTRIBUTORS = """
SELECT o.id, o.name AS company, o.language
  FROM cascade_hop h JOIN accounts_organization o ON o.id = h.organization_id
 WHERE h.parent_id = %s AND h.state <> 'recalled'
"""

# Whoever seemed to get this hop's item: its own message that left, or, for a covered person, the winner's. Only the
# own ones are mailed again; the others are stepped over, as they were the first time.
_REACHED = """
SELECT n.address_id, n.person_id, n.organization_id, n.contact_id, n.email, n.name, n.company, n.language,
       {reason} AS reason, n.is_covered
  FROM (SELECT d.address_id, d.person_id, d.organization_id, d.contact_id, d.email, d.name, d.company, d.language,
               CASE WHEN d.state = 'covered' THEN 1 ELSE 0 END AS is_covered, a.email_hash, a.state AS address_state,
               {true} AS is_active,
               ROW_NUMBER() OVER (PARTITION BY d.address_id ORDER BY d.id DESC) AS place
          FROM cascade_delivery d
          JOIN cascade_wave v ON v.id = d.wave_id
          JOIN accounts_address a ON a.id = d.address_id
         WHERE v.hop_id = %s AND v.kind IN ('initial', 'late_joiners') AND d.evidence <> 'bounced'
           AND (d.state = 'sent' OR (d.state = 'covered' AND d.passed_at IS NOT NULL AND NOT EXISTS (
                  SELECT 1 FROM cascade_delivery x WHERE x.cascade_id = d.cascade_id AND x.tier = d.tier
                     AND x.person_id = d.person_id AND x.holds_claim
                     AND (x.state = 'failed' OR x.evidence = 'bounced'))))
           {filters}) n
 WHERE n.place = 1
"""
_NOT_DONE = """
AND NOT EXISTS (SELECT 1 FROM cascade_completion f WHERE f.cascade_id = d.cascade_id AND f.person_id = d.person_id)
"""
_COMPANY_NOT_DONE = """
AND NOT EXISTS (SELECT 1 FROM cascade_organizationcompletion f
                 WHERE f.cascade_id = d.cascade_id AND f.organization_id = d.organization_id)
"""
_NOT_PASSED_ON = """
AND NOT EXISTS (SELECT 1 FROM cascade_hop f WHERE f.cascade_id = d.cascade_id AND f.organization_id = d.organization_id
                 AND (f.first_sent_at IS NOT NULL OR f.state IN ('declined', 'recalled')))
"""


def audience_query(hop: Hop, audience: Audience, *, kind: str = WaveKind.INITIAL, wave_id: int = 0) -> Query:
    """Everybody ``audience`` names for a wave of ``kind``, with the reason where a person may not be mailed.

    A late-joiner wave leaves out whom an earlier wave of the hop reached; a reminder takes those not done; a
    correction all who got the item. Knows nothing of other hops: who is covered is decided by the freeze.
    """
    if kind in CLAIMING_KINDS:
        return _named(hop, audience, wave_id)
    return _reached(hop, audience, kind)


def _named(hop: Hop, audience: Audience, wave_id: int) -> Query:
    db = dialect()
    companies, company_params = _companies(hop, audience, db)
    filters, filter_params = ["1 = 1"], []
    if audience.functions:
        condition, param = db.is_in("n.function", audience.functions)
        filters.append(condition)
        filter_params.append(param)
    if audience.languages:
        full, full_param = db.is_in("n.language", audience.languages)
        base, base_param = db.is_in("substr(n.language, 1, 2)", audience.languages)
        filters.append(f"({full} OR {base})")
        filter_params += [full_param, base_param]
    language, language_params = _content_language(hop, db)
    sender = (hop.organization_id, hop.cascade.topic)
    sql = _NAMED.format(
        companies=companies,
        filters=" AND ".join(filters),
        language=language,
        reason=_REASON.format(consent=_CONSENT),
        is_active="(active = 1)",
    )
    params = (*company_params, hop.organization_id, *filter_params, *language_params, *sender, *sender, hop.pk, wave_id)
    return Query(sql, params)


def _companies(hop: Hop, audience: Audience, db: Dialect) -> tuple[str, list[Any]]:
    if hop.tier == Tier.DISTRIBUTORS:
        sql, params = _DISTRIBUTORS, [hop.pk]
    else:
        sql, params = _RESELLERS, [hop.organization_id]
    if audience.organizations:
        condition, param = db.is_in("o.id", audience.organizations)
        return f"{sql} AND {condition}", [*params, param]
    if audience.countries:
        condition, param = db.is_in("o.country", audience.countries)
        sql += f" AND {condition}"
        params.append(param)
    if audience.tags and hop.tier == Tier.RESELLERS:
        condition, param = db.is_in("t.networktag_id", audience.tags)
        sql += f" AND EXISTS (SELECT 1 FROM accounts_networklink_tags t WHERE t.networklink_id = l.id AND {condition})"
        params.append(param)
    return sql, params


def _content_language(hop: Hop, db: Dialect) -> tuple[str, list[Any]]:
    """The language a person's mail is written in: theirs, its base ("de" of "de-at"), the sender's, or the first."""
    languages = compose.languages(hop.cascade)
    own = hop.organization.language
    fallback = next((code for code in (own, own[:2]) if code in languages), languages[0])
    exact, exact_param = db.is_in("n.language", languages)
    base, base_param = db.is_in("substr(n.language, 1, 2)", languages)
    return (
        f"CASE WHEN {exact} THEN n.language WHEN {base} THEN substr(n.language, 1, 2) ELSE CAST(%s AS VARCHAR(12)) END",
        [exact_param, base_param, fallback],
    )


def _reached(hop: Hop, audience: Audience, kind: str) -> Query:
    db = dialect()
    filters, params = "", []
    if audience.organizations:
        condition, param = db.is_in("d.organization_id", audience.organizations)
        filters += f" AND {condition}"
        params.append(param)
    if kind == WaveKind.REMINDER:
        if hop.tier == Tier.DISTRIBUTORS:
            filters += _NOT_PASSED_ON
        else:
            filters += _NOT_DONE if hop.cascade.goal_scope == "everyone" else _NOT_DONE + _COMPANY_NOT_DONE
    sql = _REACHED.format(reason=_REASON.format(consent="''"), true=db.true, filters=filters)
    return Query(sql, (hop.organization_id, hop.cascade.topic, hop.pk, *params))


# --- counts and lists for screens ---------------------------------------------------------------------------------


def audience_counts(hop: Hop, audience: Audience, *, kind: str = WaveKind.INITIAL) -> AudienceCounts:
    """How many people at how many resellers ``audience`` comes to, and why some will not get it; one query.

    Never says who is covered: to this organization a covered person is like any other.
    """
    query = audience_query(hop, audience, kind=kind)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT q.reason, COUNT(*), COUNT(DISTINCT q.organization_id) FROM ({query.sql}) q GROUP BY q.reason",
            query.params,
        )
        rows = {reason: (people, resellers) for reason, people, resellers in cursor.fetchall()}
    people, resellers = rows.pop("", (0, 0))
    order = {value: index for index, value in enumerate(Exclusion.values)}
    excluded = {reason: rows[reason][0] for reason in sorted(rows, key=lambda reason: order.get(reason, 99))}
    return AudienceCounts(resellers=resellers, people=people, excluded=excluded)


@dataclass(frozen=True)
class AudienceRow:
    """One person an audience names, as its sender knows them."""

    organization_id: int
    contact_id: int | None
    email: str
    name: str
    company: str
    language: str
    reason: str

    @property
    def reason_label(self) -> str:
        """Why they will not be mailed, in words; empty if they will."""
        return str(Exclusion(self.reason).label) if self.reason else ""


class AudienceRows(Sequence[AudienceRow]):
    """The people of an audience, by company and name; a slice is one query, so a paginator can use it."""

    def __init__(self, query: Query, reason: str | None) -> None:
        self._sql, self._params = f"SELECT * FROM ({query.sql}) q", list(query.params)
        if reason is not None:
            self._sql += " WHERE q.reason = %s"
            self._params.append(reason)
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT COUNT(*) FROM ({self._sql}) c", self._params)
                self._count = cursor.fetchone()[0]
        return self._count

    @overload
    def __getitem__(self, index: int) -> AudienceRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[AudienceRow]: ...
    def __getitem__(self, index: int | slice) -> AudienceRow | list[AudienceRow]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._fetch(start, max(stop - start, 0))[::step]
        rows = self._fetch(range(len(self))[index], 1)
        return rows[0]

    def __iter__(self) -> Iterator[AudienceRow]:
        return iter(self._fetch(0, len(self)))

    def _fetch(self, offset: int, limit: int) -> list[AudienceRow]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT q.organization_id, q.contact_id, q.email, q.name, q.company, q.language, q.reason"
                f" FROM ({self._sql}) q ORDER BY q.company, q.name, q.email LIMIT %s OFFSET %s",
                [*self._params, limit, offset],
            )
            return [AudienceRow(*row) for row in cursor.fetchall()]


def audience_rows(
    hop: Hop, audience: Audience, reason: str | None = None, *, kind: str = WaveKind.INITIAL
) -> AudienceRows:
    """The people behind :func:`audience_counts`; ``reason=""`` for those who get it, an Exclusion for the others."""
    return AudienceRows(audience_query(hop, audience, kind=kind), reason)


# --- the freeze ---------------------------------------------------------------------------------------------------

_INSERT = """
INSERT INTO cascade_delivery (wave_id, cascade_id, tier, address_id, person_id, organization_id, contact_id, email,
       name, company, language, state, reason, holds_claim, attempts, detail, evidence)
SELECT %s, %s, %s, q.address_id, q.person_id, q.organization_id, q.contact_id, q.email, substr(q.name, 1, 200),
       substr(q.company, 1, 200), q.language, {state}, q.reason, {holds_claim}, 0, '', ''
  FROM frozen_audience q
 WHERE {condition}
 ORDER BY q.person_id, q.address_id
    ON CONFLICT DO NOTHING
"""

# Chunks follow the order of people, in which a covered row stands where it would have been sent.
_NUMBER = """
UPDATE cascade_delivery SET chunk_number = numbered.number
  FROM (SELECT id, DENSE_RANK() OVER (ORDER BY language, part) AS number
          FROM (SELECT id, language,
                       (ROW_NUMBER() OVER (PARTITION BY language ORDER BY person_id, id) - 1) / %s AS part
                  FROM cascade_delivery
                 WHERE wave_id = %s AND state IN ('queued', 'covered')) parts) numbered
 WHERE numbered.id = cascade_delivery.id
"""


def freeze(wave: Wave) -> Wave:
    """Decide who is in a scheduled wave and what it says, in one transaction; freezing twice changes nothing.

    *One person, one message*: among the waves that bring an item, only one delivery per cascade, tier and person holds
    the claim. First to commit wins; rows are written in the order of people, so that two freezes at once wait for each
    other and never deadlock. Raises NothingToSend, in which case nothing was written.
    """
    with transaction.atomic():
        wave = Wave.objects.select_for_update(of=("self",)).select_related("hop__cascade", "hop__organization").get(
            pk=wave.pk
        )  # fmt: skip
        if wave.frozen_at is not None or wave.state != WaveState.SCHEDULED:
            return wave
        _insert_deliveries(wave)
        states = _count_states(wave)
        if not states.get(DeliveryState.QUEUED) and not states.get(DeliveryState.COVERED):
            raise NothingToSend(_("Nobody in this audience can be mailed."))
        _make_chunks(wave)
        for language in (
            wave.deliveries.filter(state=DeliveryState.QUEUED).values_list("language", flat=True).distinct()
        ):
            compose.freeze_content(wave, language)
        wave.frozen_at = timezone.now()
        wave.frozen_count = sum(states.values())
        wave.state = WaveState.FROZEN
        wave.save(update_fields=["frozen_at", "frozen_count", "state"])
        names = {"frozen": wave.frozen_count} | {
            state: count
            for state, count in states.items()
            if state in {DeliveryState.COVERED, DeliveryState.SUPPRESSED}
        }
        CounterDelta.objects.bulk_create(
            CounterDelta(hop_id=wave.hop_id, name=name, delta=count) for name, count in sorted(names.items())
        )
        if wave.kind in CLAIMING_KINDS and wave.hop.tier == Tier.RESELLERS:
            # Last, because it holds the cascade against everybody who counts until the transaction ends.
            hold_alone([wave.hop.cascade_id])
            give_edges(wave)
            completion.credit_new_edges(wave)
    logger.info("wave frozen", extra={"wave": wave.pk, "deliveries": wave.frozen_count})
    return wave


def _insert_deliveries(wave: Wave) -> None:
    """Write a row for everybody. The audience is looked up once: both statements must be about the same people."""
    hop = wave.hop
    audience = audience_query(hop, Audience.from_json(wave.audience), kind=wave.kind, wave_id=wave.pk)
    db = dialect()
    head = [wave.pk, hop.cascade_id, hop.tier]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS frozen_audience")
        cursor.execute(f"CREATE TEMPORARY TABLE frozen_audience AS {audience.sql}", audience.params)
        if wave.kind not in CLAIMING_KINDS:
            state = "CASE WHEN q.reason <> '' THEN 'suppressed' WHEN q.is_covered = 1 THEN 'covered' ELSE 'queued' END"
            cursor.execute(_INSERT.format(state=state, holds_claim=db.false, condition=db.true), head)
        else:
            state = "CASE WHEN q.reason = '' THEN 'queued' ELSE 'suppressed' END"
            cursor.execute(_INSERT.format(state=state, holds_claim="(q.reason = '')", condition=db.true), head)
            # Who is still without a row has the item from another sender: an earlier freeze, or one we waited for.
            cursor.execute(_INSERT.format(state="'covered'", holds_claim=db.false, condition="q.reason = ''"), head)
        cursor.execute("DROP TABLE frozen_audience")


def _count_states(wave: Wave) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, COUNT(*) FROM cascade_delivery WHERE wave_id = %s GROUP BY state", [wave.pk])
        return dict(cursor.fetchall())


def _make_chunks(wave: Wave) -> None:
    lane = lanes.lane_for(wave.hop.organization)
    size = CHUNK_SIZE if lane.rate is None else max(1, min(CHUNK_SIZE, int(lane.rate * CHUNK_SECONDS)))
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER, [size, wave.pk])
        cursor.execute(
            "SELECT chunk_number, language, COUNT(*) FROM cascade_delivery"
            " WHERE wave_id = %s AND chunk_number IS NOT NULL GROUP BY chunk_number, language ORDER BY chunk_number",
            [wave.pk],
        )
        rows = cursor.fetchall()
    priority = SMALL_WAVE_PRIORITY if len(rows) == 1 else 0
    Chunk.objects.bulk_create(
        Chunk(wave=wave, number=number, language=language, lane=lane, size=count, priority=priority)
        for number, language, count in rows
    )


def give_edges(wave: Wave) -> None:
    """Give the item to every reseller the wave's audience names, also where nobody there can be mailed."""
    hop, audience = wave.hop, Audience.from_json(wave.audience)
    if audience.functions or audience.languages:  # only where somebody fits
        given = "SELECT DISTINCT organization_id AS id FROM cascade_delivery WHERE wave_id = %s"
        params: list[Any] = [wave.pk]
    else:
        given, params = _companies(hop, audience, dialect())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cascade_edge (hop_id, cascade_id, organization_id, created_at)"
            f" SELECT %s, %s, g.id, %s FROM ({given}) g WHERE {dialect().true} ORDER BY g.id ON CONFLICT DO NOTHING",
            [hop.pk, hop.cascade_id, connection.ops.adapt_datetimefield_value(timezone.now()), *params],
        )


# --- a chunk's rows, when their turn has come ---------------------------------------------------------------------

_DUE = """
SELECT n.id, n.person_id, n.organization_id, n.email, n.name, n.company, n.state, n.attempts, {reason} AS reason
  FROM (SELECT d.id, d.person_id, d.organization_id, d.email, d.name, d.company, d.state, d.attempts, a.email_hash,
               a.state AS address_state, {true} AS is_active
          FROM cascade_delivery d JOIN accounts_address a ON a.id = d.address_id
         WHERE d.wave_id = %s AND d.chunk_number = %s
           AND (d.state = 'queued' OR (d.state = 'covered' AND d.passed_at IS NULL))) n
 ORDER BY n.person_id, n.id
"""


@dataclass(frozen=True, slots=True)
class DueRow:
    """A delivery of a chunk that is undecided; ``reason``: why the person may not be mailed any more."""

    id: int
    person_id: int
    organization_id: int
    email: str
    name: str
    company: str
    state: str
    attempts: int
    reason: str

    @property
    def is_covered(self) -> bool:
        """Whether the row is only stepped over."""
        return self.state == DeliveryState.COVERED


def due_rows(wave: Wave, number: int) -> list[DueRow]:
    """Undecided rows of a chunk in the order of people, checked again for what was refused since the freeze."""
    sql = _DUE.format(reason=_REASON.format(consent="''"), true=dialect().true)
    with connection.cursor() as cursor:
        cursor.execute(sql, [wave.hop.organization_id, wave.hop.cascade.topic, wave.pk, number])
        return [DueRow(*row) for row in cursor.fetchall()]
