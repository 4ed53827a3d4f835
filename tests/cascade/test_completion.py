from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from wagtail.models import Locale

from accounts.enums import Function
from accounts.models import Address, Membership
from cascade import counters
from cascade.completion import Outcome, complete, credit_edges, credit_new_edges
from cascade.enums import CounterName, Goal, GoalScope, LedgerKind, Tier
from cascade.models import Completion, LedgerEvent, OrganizationCompletion
from tests.factories.accounts import ContactFactory, OrganizationFactory, member
from tests.factories.cascade import (
    AnnouncementPageFactory,
    CascadeFactory,
    DeliveryFactory,
    EdgeFactory,
    HopFactory,
    WaveFactory,
)

LOCK = 1 if connection.vendor == "postgresql" else 0  # one statement more
DONE = (CounterName.RESELLERS_DONE, CounterName.PEOPLE_DONE)


@pytest.fixture
def page(vendor):
    return AnnouncementPageFactory()


@pytest.fixture
def cascade(page):
    return CascadeFactory(page=page)


@pytest.fixture
def hop(cascade, distributor):
    return HopFactory(cascade=cascade, organization=distributor, accepted=True)


@pytest.fixture
def other_hop(cascade, other_distributor):
    return HopFactory(cascade=cascade, organization=other_distributor, accepted=True)


@pytest.fixture
def anna(reseller, distributor):
    """A contact of Acme at its reseller."""
    return person(distributor, reseller, "anna@cobalt.example")


def person(owner, reseller, email, **contact):
    return ContactFactory(owner=owner, organization=reseller, email=email, **contact).address.person


def give(hop, reseller):
    """As a freeze does: write the edge, then credit."""
    EdgeFactory(hop=hop, organization=reseller)
    credit_edges(hop)


def done(hop) -> tuple[int, ...]:
    counts = counters.read([hop])[hop.pk]
    return tuple(counts[name] for name in DONE)


def vendors(cascade):
    return cascade.hops.get(tier=Tier.DISTRIBUTORS)


def test_complete_makes_the_person_and_the_reseller_done(page, cascade, hop, reseller, anna):
    give(hop, reseller)
    outcome = complete(anna, page, Goal.ACKNOWLEDGED, evidence={"via": "mail"})
    assert outcome == Outcome((cascade.pk,), (cascade.pk,))
    assert Completion.objects.get().evidence == {"via": "mail"}
    assert OrganizationCompletion.objects.get().organization == reseller
    assert done(hop) == (1, 1)
    assert done(vendors(cascade)) == (1, 1)
    event = LedgerEvent.objects.get(hop=hop)
    assert (event.kind, event.person, event.organization, event.data) == (LedgerKind.ACKNOWLEDGED, anna, reseller, {})


def test_complete_twice_counts_once(page, cascade, hop, reseller, anna):
    give(hop, reseller)
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    again = complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    assert again == Outcome((cascade.pk,), ())
    assert done(hop) == done(vendors(cascade)) == (1, 1)
    assert LedgerEvent.objects.filter(hop=hop).count() == 1


def test_complete_on_a_translation_counts_for_the_cascade(page, cascade, hop, reseller, anna):
    german = Locale.objects.get_or_create(language_code="de")[0]
    give(hop, reseller)
    complete(anna, page.copy_for_translation(german, copy_parents=True), Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (1, 1)


def test_complete_counts_in_every_open_cascade_of_the_page_and_in_no_other(page, hop, reseller, anna):
    again = HopFactory(cascade=CascadeFactory(page=page))
    closed = HopFactory(cascade=CascadeFactory(page=page, closed=True))
    foreign = HopFactory(cascade=CascadeFactory())
    for one in (hop, again, closed, foreign):
        give(one, reseller)
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    assert [done(one) for one in (hop, again, closed, foreign)] == [(1, 1), (1, 1), (0, 0), (0, 0)]


def test_a_lesser_deed_is_kept_but_completes_nothing_and_a_greater_one_completes(page, cascade, hop, reseller, anna):
    give(hop, reseller)
    assert complete(anna, page, Goal.READ, evidence={}).completed == ()
    complete(anna, page, Goal.READ, evidence={})
    assert done(hop) == (0, 0)
    assert list(LedgerEvent.objects.values_list("hop", "kind")) == [(hop.pk, LedgerKind.READ)]
    to_read = HopFactory(cascade=CascadeFactory(page=page, goal=Goal.READ))
    give(to_read, reseller)
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(to_read) == done(hop) == (1, 1)


def test_every_distributor_that_gave_the_item_gets_the_credit_and_the_vendor_counts_once(
    page, cascade, hop, other_hop, reseller, anna
):
    give(hop, reseller)
    give(other_hop, reseller)
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == done(other_hop) == done(vendors(cascade)) == (1, 1)


def test_a_deed_before_the_delivery_is_credited_when_the_edge_is_written(page, cascade, hop, reseller, anna):
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == done(vendors(cascade)) == (0, 0)
    EdgeFactory(hop=hop, organization=reseller)
    wave = WaveFactory(hop=hop, frozen=True)
    credit_new_edges(wave)
    credit_new_edges(wave)
    assert done(hop) == done(vendors(cascade)) == (1, 1)
    assert counters.read([hop])[hop.pk][CounterName.RESELLERS] == 1


def test_the_freeze_of_a_notice_to_distributors_credits_nothing(cascade):
    credit_new_edges(WaveFactory(hop=vendors(cascade), frozen=True))
    assert counters.read([vendors(cascade)]) == {}


def test_a_person_known_to_another_distributor_only_is_credited_where_the_reseller_got_it(
    page, hop, reseller, other_distributor
):
    give(hop, reseller)
    complete(person(other_distributor, reseller, "otto@cobalt.example"), page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (1, 1)


def test_a_member_of_the_reseller_is_credited(page, hop, reseller, reseller_member):
    give(hop, reseller)
    complete(reseller_member.person, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (1, 1)


def test_a_recipient_whose_contact_is_gone_is_credited(page, hop, reseller):
    give(hop, reseller)
    delivery = DeliveryFactory(wave__hop=hop, organization=reseller, email="gone@cobalt.example")
    complete(delivery.person, page, Goal.ACKNOWLEDGED, evidence={"delivery": delivery.pk})
    assert done(hop) == (1, 1)


def test_a_stranger_completes_for_nobody(page, hop, reseller, reseller_stranger):
    give(hop, reseller)
    complete(reseller_stranger.person, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (0, 0)
    assert not OrganizationCompletion.objects.exists()


def test_one_person_at_two_resellers_counts_once_per_hop_and_both_resellers_are_done(page, cascade, hop, distributor):
    first, second = OrganizationFactory.create_batch(2, reseller=True)
    both = person(distributor, first, "both@example.com")
    ContactFactory(owner=distributor, organization=second, address=Address.objects.get(person=both))
    give(hop, first)
    give(hop, second)
    complete(both, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == done(vendors(cascade)) == (2, 1)


def test_scope_function_needs_somebody_in_that_function(page, distributor, reseller):
    cascade = CascadeFactory(page=page, goal_scope=GoalScope.FUNCTION, goal_function=Function.TECHNICAL)
    hop = HopFactory(cascade=cascade, organization=distributor)
    give(hop, reseller)
    seller = person(distributor, reseller, "s@cobalt.example", function=Function.SALES)
    engineer = person(distributor, reseller, "e@cobalt.example", function=Function.TECHNICAL)
    complete(seller, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (0, 1)
    complete(engineer, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (1, 2)


def test_scope_everyone_needs_all_contacts_of_those_who_gave_it_and_all_members(
    page, distributor, other_distributor, reseller
):
    cascade = CascadeFactory(page=page, goal_scope=GoalScope.EVERYONE)
    hop = HopFactory(cascade=cascade, organization=distributor)
    give(hop, reseller)
    first = person(distributor, reseller, "1@cobalt.example")
    second = person(distributor, reseller, "2@cobalt.example")
    person(distributor, reseller, "left@cobalt.example", is_active=False)
    person(other_distributor, reseller, "theirs@cobalt.example")  # gave nothing, so its contacts do not count
    colleague = member(reseller).person
    for one in (first, second):
        complete(one, page, Goal.ACKNOWLEDGED, evidence={})
        assert done(hop)[0] == 0
    complete(colleague, page, Goal.ACKNOWLEDGED, evidence={})
    assert done(hop) == (1, 3)


def test_a_later_edge_of_another_hop_finds_the_reseller_done(page, cascade, hop, other_hop, reseller, anna):
    give(hop, reseller)
    complete(anna, page, Goal.ACKNOWLEDGED, evidence={})
    give(other_hop, reseller)
    assert done(other_hop) == (1, 1)
    assert done(vendors(cascade)) == (1, 1)


def test_complete_costs_the_same_whatever_the_network(page, cascade, hop, reseller, anna, django_assert_num_queries):
    give(hop, reseller)
    for reseller_of_others in OrganizationFactory.create_batch(5, reseller=True):
        give(hop, reseller_of_others)
    with django_assert_num_queries(11 + LOCK):
        complete(anna, page, Goal.ACKNOWLEDGED, evidence={})


def test_crediting_costs_the_same_for_one_and_for_thirty(page, cascade, distributor, django_assert_num_queries):
    for many in (1, 30):
        hop = HopFactory(cascade=cascade, organization=OrganizationFactory())
        for _number in range(many):
            edge = EdgeFactory(hop=hop)
            who = ContactFactory(owner=distributor, organization=edge.organization).address.person
            Completion.objects.create(cascade=cascade, person=who, goal=Goal.ACKNOWLEDGED)
        with django_assert_num_queries(14 + LOCK):
            credit_edges(hop)
        assert done(hop) == (many, many)


def test_nobody_is_known_when_the_page_is_in_no_open_cascade(anna, reseller):
    assert complete(anna, AnnouncementPageFactory(), Goal.READ, evidence={}) == Outcome()
    assert Membership.objects.count() == LedgerEvent.objects.count() == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_acts_and_edges_at_the_same_moment_lose_and_double_nothing():
    """People of one reseller finish while a second distributor gives it the item, some of them twice."""
    page = AnnouncementPageFactory()
    distributor, other = OrganizationFactory.create_batch(2)
    reseller = OrganizationFactory(reseller=True)
    cascade = CascadeFactory(page=page, goal_scope=GoalScope.EVERYONE)
    hop = HopFactory(cascade=cascade, organization=distributor)
    other_hop = HopFactory(cascade=cascade, organization=other)
    give(hop, reseller)
    people = [person(distributor, reseller, f"{number}@cobalt.example") for number in range(6)]

    def act(number: int) -> None:
        try:
            if number == 5:
                with transaction.atomic():
                    give(other_hop, reseller)
            else:
                complete(people[number % 6], page, Goal.ACKNOWLEDGED, evidence={})
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 11]))

    assert done(hop) == done(other_hop) == done(vendors(cascade)) == (1, 6)
    assert [counters.differences(one) for one in cascade.hops.all()] == [{}, {}, {}]
