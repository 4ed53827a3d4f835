from __future__ import annotations

import random

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from cascade import counters
from cascade.completion import complete, credit_edges
from cascade.enums import CounterName, DeliveryState, Evidence, Goal, GoalScope
from cascade.models import Counter, CounterDelta, Hop
from tests.factories.accounts import ContactFactory, OrganizationFactory
from tests.factories.cascade import (
    AnnouncementPageFactory,
    CascadeFactory,
    DeliveryFactory,
    EdgeFactory,
    HopFactory,
    WaveFactory,
)

SENT, FAILED = CounterName.SENT, CounterName.FAILED


@pytest.fixture
def hop(vendor):
    return HopFactory()


def test_read_is_counters_plus_deltas_before_and_after_a_fold(hop):
    counters.add([(hop.pk, SENT, 3), (hop.pk, SENT, 2), (hop.pk, FAILED, 1)])
    assert counters.read([hop]) == {hop.pk: {SENT: 5, FAILED: 1}}
    assert counters.fold() == 2
    assert not CounterDelta.objects.exists()
    counters.add([(hop.pk, SENT, -1)])
    assert counters.read([hop]) == {hop.pk: {SENT: 4, FAILED: 1}}
    counters.fold()
    assert dict(Counter.objects.values_list("name", "value")) == {SENT: 4, FAILED: 1}
    assert counters.fold() == 0


def test_add_writes_no_row_for_nothing(hop):
    counters.add([(hop.pk, SENT, 1), (hop.pk, SENT, -1), (hop.pk, FAILED, 0)])
    assert not CounterDelta.objects.exists()


def test_fold_takes_a_limited_number_and_goes_on(hop):
    for _number in range(5):
        counters.add([(hop.pk, SENT, 1)])
    assert [counters.fold(limit=3), counters.fold(limit=3)] == [3, 2]
    assert counters.read([hop])[hop.pk][SENT] == 5


def test_a_name_that_never_changed_reads_zero(hop):
    assert counters.read([hop])[hop.pk][SENT] == 0
    assert counters.read(Hop.objects.all())[hop.pk][SENT] == 0


@pytest.mark.parametrize("many", [1, 30])
def test_read_of_a_queryset_is_one_query(vendor, django_assert_num_queries, many):
    cascade = CascadeFactory()
    hops = [HopFactory(cascade=cascade) for _number in range(many)]
    counters.add((one.pk, SENT, 1) for one in hops)
    with django_assert_num_queries(1):
        assert len(counters.read(cascade.hops.of_distributors())) == many


def test_read_of_more_ids_than_a_statement_takes(vendor, hop):
    counters.add([(hop.pk, SENT, 1)])
    assert counters.read([*range(10**6, 10**6 + 1500), hop.pk]) == {hop.pk: {SENT: 1}}


def test_recount_comes_from_the_facts(hop):
    wave = WaveFactory(hop=hop, frozen=True)
    for state in (DeliveryState.SENT, DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.COVERED):
        DeliveryFactory(wave=wave, state=state, holds_claim=state != DeliveryState.COVERED)
    DeliveryFactory(wave=wave, state=DeliveryState.SENT, evidence=Evidence.BOUNCED)
    facts = counters.recount(hop)
    assert {name: facts[name] for name in (CounterName.FROZEN, SENT, FAILED, CounterName.COVERED)} == {
        CounterName.FROZEN: 5,
        SENT: 3,
        FAILED: 1,
        CounterName.COVERED: 1,
    }
    assert facts[CounterName.BOUNCED] == 1


def test_recount_command_finds_and_mends_a_wrong_counter(hop, capsys):
    EdgeFactory(hop=hop)
    credit_edges(hop)
    call_command("recount", "--check")
    Counter.objects.create(hop=hop, name=SENT, value=7)
    with pytest.raises(CommandError):
        call_command("recount", "--check")
    assert counters.read([hop])[hop.pk][SENT] == 7
    capsys.readouterr()
    call_command("recount", "--cascade", str(hop.cascade_id))
    assert "sent: 7, should be 0" in capsys.readouterr().out
    call_command("recount", "--check")


@pytest.mark.parametrize("seed", range(4))
def test_counters_equal_a_recount_after_a_random_history(vendor, seed):
    """Edges, contacts and acts in any order, folds in between, in every scope."""
    chance = random.Random(seed)
    page = AnnouncementPageFactory()
    scope = [GoalScope.ANYONE, GoalScope.EVERYONE, GoalScope.FUNCTION, GoalScope.ANYONE][seed]
    cascade = CascadeFactory(page=page, goal_scope=scope, goal_function="sales" if scope == GoalScope.FUNCTION else "")
    hops = [HopFactory(cascade=cascade) for _number in range(3)]
    resellers = OrganizationFactory.create_batch(5, reseller=True)
    triples = {
        (chance.choice(hops).organization, chance.choice(resellers), f"p{number % 9}@example.com")
        for number in range(14)
    }
    contacts = [
        ContactFactory(
            owner=owner,
            organization=reseller,
            email=email,
            function=chance.choice(["sales", "technical"]),
            link=False,
        )
        for owner, reseller, email in sorted(triples, key=lambda one: (one[0].pk, one[1].pk, one[2]))
    ]
    for _step in range(60):
        act = chance.randrange(5)
        if act == 0:
            hop, reseller = chance.choice(hops), chance.choice(resellers)
            if not hop.edges.filter(organization=reseller).exists():
                EdgeFactory(hop=hop, organization=reseller)
                credit_edges(hop)
        elif act == 1:
            counters.fold(limit=chance.randrange(1, 5))
        elif act == 2:
            contact = chance.choice(contacts)
            contact.is_active = not contact.is_active
            contact.save(update_fields=["is_active"])
        else:
            who = chance.choice(contacts).address.person
            complete(who, page, chance.choice([Goal.READ, Goal.ACKNOWLEDGED]), evidence={})
    assert {hop.pk: counters.differences(hop) for hop in cascade.hops.all()} == {
        hop.pk: {} for hop in cascade.hops.all()
    }
    assert counters.read(cascade.hops.all())  # something happened
