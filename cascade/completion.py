"""Who is done: the one verb by which content, recipient pages and imports report that a person did something.

Facts are rows with a unique key, written by statements that say which rows are new; counters change by exactly those.
Per (cascade, person) one ``Completion``; per hop that gave the item to one of the person's resellers one *done* event
in the ledger (the credit), and one in the vendor's own hop, which therefore counts every person once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import F, QuerySet, Value

from accounts.models import Contact, Membership
from cascade import counters, ledger
from cascade.enums import CounterName, Goal, GoalScope, Tier
from cascade.inserts import insert_new
from cascade.locks import hold_alone, hold_shared
from cascade.models import (
    Cascade,
    CascadeContent,
    Completion,
    Delivery,
    Edge,
    Hop,
    LedgerEvent,
    OrganizationCompletion,
    Wave,
)

if TYPE_CHECKING:
    from wagtail.models import Page

    from accounts.models import Person, User

# Whoever did the one has done the other; nobody who acknowledged an item should be asked whether they read it.
_INCLUDES: dict[Goal, frozenset[Goal]] = {
    Goal.ACKNOWLEDGED: frozenset({Goal.READ}),
    Goal.REGISTERED: frozenset({Goal.READ}),
    Goal.ATTENDED: frozenset({Goal.REGISTERED, Goal.READ}),
    Goal.PASSED: frozenset({Goal.READ}),
    Goal.LAUNCHED: frozenset({Goal.READ}),
}


Change = tuple[int, str, int]  # hop id, counter, difference


class Bond(NamedTuple):
    """A person belongs to a reseller, with what is known of their work there."""

    person_id: int
    organization_id: int
    function: str


@dataclass(frozen=True)
class Outcome:
    """What an act came to: the open cascades of the page, and those in which it made the person done just now."""

    cascades: tuple[int, ...] = ()
    completed: tuple[int, ...] = ()


def reaches(deed: str, goal: str) -> bool:
    """Whether ``deed`` is as good as ``goal``."""
    return deed == goal or goal in _INCLUDES.get(Goal(deed), frozenset())


def complete(person: Person, page: Page, goal: Goal, *, evidence: Mapping[str, Any], by: User | None = None) -> Outcome:
    """Record that ``person`` did ``goal`` on ``page``, in every open cascade of the page in any of its languages.

    A deed short of the cascade's goal (reading, where acknowledging is asked) is kept in the ledger and completes
    nothing. Repeating changes nothing. ``evidence`` says how it is known (JSON; kept with the completion, shown to
    nobody but the person); ``by`` is who reports it when that is not the person.
    """
    deed = Goal(goal)
    with transaction.atomic():
        cascades = list(_open_cascades_of(page))
        if not cascades:
            return Outcome()
        hold_shared(c.pk for c in cascades if c.goal_scope != GoalScope.EVERYONE)
        # Two last people who finish at once must see each other, else the reseller never counts as done.
        hold_alone(c.pk for c in cascades if c.goal_scope == GoalScope.EVERYONE)
        reached = [cascade for cascade in cascades if reaches(deed, cascade.goal)]
        new = insert_new(
            [Completion(cascade=c, person=person, goal=c.goal, evidence=dict(evidence)) for c in reached],
            returning="cascade_id",
        )
        bonds = _bonds_of(person, cascades)
        edges = _edges_to({bond.organization_id for bond in bonds}, cascades)
        vendor_hops = _vendor_hops(cascades)
        changes: list[Change] = []
        for cascade in cascades:
            given, vendor_hop = edges[cascade.pk], vendor_hops[cascade.pk]
            if cascade in reached and given:
                changes += _credit(
                    cascade, vendor_hop, [(person.pk, hop, organization) for hop, organization in given], deed, by
                )
                resellers = _complete_organizations(cascade, {organization for _hop, organization in given}, bonds)
                changes += _resellers_done(cascade, vendor_hop, resellers)
            else:  # short of the goal, or done before anybody gave it to them (credited when an edge is written)
                ledger.record_many(_acts(cascade, vendor_hop, person, deed, given, by))
        counters.add(changes)
    return Outcome(tuple(c.pk for c in cascades), tuple(new))


def credit_new_edges(wave: Wave) -> None:
    """Give the hop of ``wave`` its resellers and the credit for people who were done before it gave them the item.

    Call it in the transaction of the freeze, after the edges were written. A constant number of statements; twice is
    once.
    """
    if wave.hop.tier == Tier.RESELLERS:
        credit_edges(wave.hop)


def credit_edges(hop: Hop) -> None:
    """As ``credit_new_edges``, for edges that were written without a wave (an item shown in the portal only)."""
    with transaction.atomic():
        hold_alone([hop.cascade_id])
        cascade = hop.cascade
        vendor_hop = Hop.objects.get(cascade=cascade, tier=Tier.DISTRIBUTORS)
        bonds = _bonds_in(hop)
        given = [(bond.person_id, hop.pk, bond.organization_id) for bond in bonds]
        changes = _credit(cascade, vendor_hop.pk, given, Goal(cascade.goal), None)
        resellers = _complete_organizations(cascade, {bond.organization_id for bond in bonds}, bonds)
        others = [c for c in _resellers_done(cascade, vendor_hop.pk, resellers) if c[0] not in (hop.pk, vendor_hop.pk)]
        counters.add([*changes, *others])
        counters.settle([hop, vendor_hop])


def is_done(person: Person, cascade: Cascade) -> bool:
    """Whether ``person`` reached the goal of ``cascade``."""
    return Completion.objects.filter(person=person, cascade=cascade).exists()


def _open_cascades_of(page: Page) -> QuerySet[Cascade]:
    """In id order: locks are taken in one order by everybody."""
    carried = CascadeContent.objects.filter(page__translation_key=page.translation_key)
    return Cascade.objects.live().filter(pk__in=carried.values("cascade_id")).order_by("pk")


def _vendor_hops(cascades: Iterable[Cascade]) -> dict[int, int]:
    """Id of the vendor's own hop, by cascade."""
    hops = Hop.objects.filter(cascade__in=cascades, tier=Tier.DISTRIBUTORS)
    return dict(hops.values_list("cascade_id", "pk"))


def _bonds_of(person: Person, cascades: Iterable[Cascade]) -> set[Bond]:
    """The person's resellers: as anybody's contact, as a member, or as whom a message of the cascade was for."""
    contacts = Contact.objects.filter(address__person=person, is_active=True)
    members = Membership.objects.filter(user__person=person)
    mailed = Delivery.objects.filter(person=person, cascade__in=cascades, tier=Tier.RESELLERS)
    return _bonds(contacts, members, mailed)


def _bonds_in(hop: Hop) -> set[Bond]:
    """People who are done and the resellers to which ``hop`` gave the item, wherever the two belong together."""
    done = Completion.objects.filter(cascade=hop.cascade_id).values("person_id")
    given = Edge.objects.filter(hop=hop).values("organization_id")
    contacts = Contact.objects.filter(address__person__in=done, organization__in=given, is_active=True)
    members = Membership.objects.filter(user__person__in=done, organization__in=given)
    mailed = Delivery.objects.filter(
        person__in=done, organization__in=given, cascade=hop.cascade_id, tier=Tier.RESELLERS
    )
    return _bonds(contacts, members, mailed)


def _bonds(contacts: QuerySet[Contact], members: QuerySet[Membership], mailed: QuerySet[Delivery]) -> set[Bond]:
    """One statement for the three ways of belonging."""
    rows = (
        contacts.order_by()
        .values_list("address__person_id", "organization_id", "function")
        .union(
            members.order_by().values_list("user__person_id", "organization_id", "function"),
            mailed.order_by().values_list("person_id", "organization_id", Value("")),
        )
    )
    return {Bond(*row) for row in rows}


def _edges_to(organizations: Collection[int], cascades: Iterable[Cascade]) -> dict[int, list[tuple[int, int]]]:
    """(hop id, organization id) of each cascade's edges to ``organizations``, in id order."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = Edge.objects.filter(cascade__in=cascades, organization__in=organizations, hop__tier=Tier.RESELLERS).order_by(
        "pk"
    )
    for cascade_id, hop_id, organization_id in rows.values_list("cascade_id", "hop_id", "organization_id"):
        found[cascade_id].append((hop_id, organization_id))
    return found


def _credit(
    cascade: Cascade, vendor_hop: int, given: Iterable[tuple[int, int, int]], deed: Goal, by: User | None
) -> list[Change]:
    """Write the done events of (person, hop, organization) and of the vendor's hop; the changes of PEOPLE_DONE."""
    events: dict[str, LedgerEvent] = {}
    for person_id, hop_id, organization_id in sorted(given):
        for hop in (hop_id, vendor_hop):
            key = f"{counters.DONE_KEY}{hop}:{person_id}"
            events.setdefault(key, _event(cascade, hop, deed, person_id, organization_id, by, key))
    written = ledger.record_many(events.values())
    return [(events[key].hop_id, CounterName.PEOPLE_DONE, 1) for key in written]  # type: ignore[misc]


def _acts(
    cascade: Cascade,
    vendor_hop: int,
    person: Person,
    deed: Goal,
    given: Iterable[tuple[int, int]],
    by: User | None,
) -> list[LedgerEvent]:
    """Events of a deed that completes nothing (yet), one per hop that gave the item, else one at the vendor's."""
    hops: dict[int, int | None] = dict(given) or {vendor_hop: None}
    return [
        _event(cascade, hop, deed, person.pk, organization, by, f"{deed}:{hop}:{person.pk}")
        for hop, organization in hops.items()
    ]


def _event(
    cascade: Cascade, hop: int | None, deed: Goal, person: int, organization: int | None, by: User | None, key: str
) -> LedgerEvent:
    return LedgerEvent(
        cascade=cascade, hop_id=hop, kind=deed, person_id=person, organization_id=organization, actor=by, key=key
    )


def _complete_organizations(cascade: Cascade, candidates: set[int], bonds: Iterable[Bond]) -> list[int]:
    """Count as done those ``candidates`` (resellers with an edge) whose scope is fulfilled; the new ones.

    ``bonds`` are of people who are done. *Everyone* means every active contact of those who gave the item and every
    member of the reseller.
    """
    if cascade.goal_scope == GoalScope.FUNCTION:
        done = {bond.organization_id for bond in bonds if bond.function == cascade.goal_function} & candidates
    else:
        done = set(candidates)
    if cascade.goal_scope == GoalScope.EVERYONE and done:
        finished = Completion.objects.filter(cascade=cascade).values("person_id")
        missing_contacts = (
            Contact.objects.filter(
                organization__in=done,
                is_active=True,
                organization__edges__cascade=cascade,
                organization__edges__hop__organization=F("owner"),
            )
            .exclude(address__person__in=finished)
            .order_by()
            .values_list("organization_id")
        )
        missing_members = (
            Membership.objects.filter(organization__in=done)
            .exclude(user__person__in=finished)
            .order_by()
            .values_list("organization_id")
        )
        done -= {organization for (organization,) in missing_contacts.union(missing_members)}
    return insert_new(
        [OrganizationCompletion(cascade=cascade, organization_id=pk) for pk in sorted(done)],
        returning="organization_id",
    )


def _resellers_done(cascade: Cascade, vendor_hop: int, organizations: Collection[int]) -> list[Change]:
    """Counter changes for resellers that just became done: once at each hop that serves them, once at the vendor's."""
    if not organizations:
        return []
    hops = Edge.objects.filter(cascade=cascade, organization__in=organizations, hop__tier=Tier.RESELLERS).values_list(
        "hop_id", flat=True
    )
    return [
        *((hop, CounterName.RESELLERS_DONE, 1) for hop in hops),
        *((vendor_hop, CounterName.RESELLERS_DONE, 1) for _organization in organizations),
    ]
