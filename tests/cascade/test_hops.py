"""Decisions of a hop and its derived state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import LinkStatus
from accounts.models import NetworkLink
from accounts.policies import NotAllowed
from cascade import hops
from cascade.enums import CascadeState, DeliveryState, HopState, LedgerKind, WaveState
from cascade.hops import NotPossible, hop_status, hop_statuses
from cascade.models import Delivery, Edge, LedgerEvent, OrganizationCompletion, Wave
from tests.factories.accounts import ContactFactory, OrganizationFactory
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, HopFactory


def given_hop(distributor, cascade=None, **fields):
    """What was offered to ``distributor``."""
    return HopFactory(organization=distributor, cascade=cascade or CascadeFactory(), **fields)


@pytest.fixture
def hop(distributor):
    return given_hop(distributor)


def given_wave(hop, state, **fields):
    return Wave.objects.create(hop=hop, state=state, base_url="https://portal.example", **fields)


def given_delivery(wave, state=DeliveryState.SENT, **fields):
    contact = ContactFactory(owner=wave.hop.organization)
    return Delivery.objects.create(
        wave=wave,
        cascade=wave.hop.cascade,
        tier=wave.hop.tier,
        address=contact.address,
        person=contact.address.person,
        organization=contact.organization,
        contact=contact,
        email=contact.address.email,
        name=contact.name,
        company=contact.organization.name,
        language="en",
        state=state,
        **fields,
    )


# --- accept ----------------------------------------------------------------------------------------------------
def test_accept_by_manager_records_the_decision(hop, distributor_manager):
    hops.accept(hop, by=distributor_manager)
    hop.refresh_from_db()
    assert (hop.state, hop.decided_by) == (HopState.ACCEPTED, distributor_manager)
    assert [event.kind for event in hop.events.all()] == [LedgerKind.ACCEPTED]


def test_accept_twice_is_one_decision(hop, distributor_manager):
    hops.accept(hop, by=distributor_manager)
    hops.accept(hop, by=distributor_manager)
    assert LedgerEvent.objects.filter(hop=hop).count() == 1


@pytest.mark.parametrize("who", ["distributor_member", "stranger", "vendor_editor", "reseller_member"])
def test_only_managers_of_the_distributor_decide(hop, who, request):
    with pytest.raises(NotAllowed):
        hops.accept(hop, by=request.getfixturevalue(who))
    with pytest.raises(NotAllowed):
        hops.decline(hop, "no", by=request.getfixturevalue(who))
    with pytest.raises(NotAllowed):
        hops.withdraw(hop, by=request.getfixturevalue(who))
    hop.refresh_from_db()
    assert hop.state == HopState.OFFERED


@pytest.mark.parametrize("state", [CascadeState.CLOSED, CascadeState.RECALLED, CascadeState.DRAFT])
def test_nothing_is_decided_once_the_cascade_is_not_open(distributor, distributor_manager, state):
    hop = given_hop(distributor, CascadeFactory(state=state))
    with pytest.raises(NotPossible):
        hops.accept(hop, by=distributor_manager)


@pytest.mark.parametrize("status", [LinkStatus.PAUSED, LinkStatus.ENDED])
def test_a_paused_or_ended_distributor_decides_nothing(hop, distributor, distributor_manager, status):
    NetworkLink.objects.filter(downstream=distributor).update(status=status)
    with pytest.raises(NotPossible):
        hops.accept(hop, by=distributor_manager)


# --- decline and withdraw ----------------------------------------------------------------------------------------
def test_decline_keeps_the_reason_for_the_vendor(hop, distributor_manager):
    hops.decline(hop, "  We do not\nsell this. ", by=distributor_manager)
    hop.refresh_from_db()
    assert (hop.state, hop.decline_reason) == (HopState.DECLINED, "We do not sell this.")
    assert hop.events.get().data == {"reason": "We do not sell this."}


def test_decline_without_a_reason_is_refused(hop, distributor_manager):
    with pytest.raises(NotPossible):
        hops.decline(hop, " \n", by=distributor_manager)


def test_a_mandatory_item_cannot_be_declined(distributor, distributor_manager):
    hop = given_hop(distributor, CascadeFactory(is_mandatory=True))
    with pytest.raises(NotPossible):
        hops.decline(hop, "no", by=distributor_manager)
    hop.refresh_from_db()
    assert hop.state == HopState.OFFERED


def test_withdraw_offers_the_item_again(hop, distributor_manager):
    hops.decline(hop, "no", by=distributor_manager)
    hops.withdraw(hop, by=distributor_manager)
    hop.refresh_from_db()
    assert (hop.state, hop.decline_reason, hop.decided_at) == (HopState.OFFERED, "", None)


@pytest.mark.parametrize("state", [WaveState.SCHEDULED, WaveState.FROZEN, WaveState.SENDING, WaveState.DONE])
def test_withdraw_is_refused_once_a_wave_is_under_way(hop, distributor_manager, state):
    hops.accept(hop, by=distributor_manager)
    given_wave(hop, state)
    with pytest.raises(NotPossible):
        hops.withdraw(hop, by=distributor_manager)
    with pytest.raises(NotPossible):
        hops.decline(hop, "no", by=distributor_manager)


def test_withdraw_after_an_undone_send_is_possible(hop, distributor_manager):
    hops.accept(hop, by=distributor_manager)
    given_wave(hop, WaveState.CANCELLED)
    hops.withdraw(hop, by=distributor_manager)
    hop.refresh_from_db()
    assert hop.state == HopState.OFFERED


# --- derived state -----------------------------------------------------------------------------------------------
def test_status_follows_decisions_and_dates(distributor):
    soon, past = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
    cases = [
        (HopState.OFFERED, {"pass_on_by": soon}, "offered"),
        (HopState.ACCEPTED, {"pass_on_by": soon}, "ready"),
        (HopState.OFFERED, {"pass_on_by": past}, "overdue"),
        (HopState.ACCEPTED, {"pass_on_by": past}, "overdue"),
        (HopState.DECLINED, {"pass_on_by": past}, "declined"),
        (HopState.OFFERED, {"state": CascadeState.CLOSED}, "closed"),
        (HopState.ACCEPTED, {"state": CascadeState.RECALLED}, "recalled"),
    ]
    for state, fields, expected in cases:
        assert hop_status(given_hop(distributor, CascadeFactory(**fields), state=state)).value == expected


def test_status_is_behind_while_conflicts_are_open(distributor):
    hop = given_hop(distributor, state=HopState.ACCEPTED)
    assert hop_status(hop, conflicts=1).value == "behind"


def test_status_of_a_scheduled_hop_names_the_time(distributor):
    hop = given_hop(distributor, state=HopState.ACCEPTED)
    at = timezone.now() + timedelta(hours=3)
    given_wave(hop, WaveState.SCHEDULED, scheduled_at=at)
    status = hop_status(hop)
    assert (status.value, status.at) == ("scheduled", at)


def test_sending_counts_what_has_an_outcome_and_covered_rows_only_after_their_turn(distributor):
    hop = given_hop(distributor, state=HopState.ACCEPTED)
    wave = given_wave(hop, WaveState.SENDING, frozen_count=5)
    given_delivery(wave)
    given_delivery(wave, DeliveryState.QUEUED)
    given_delivery(wave, DeliveryState.RETRYING)
    given_delivery(wave, DeliveryState.COVERED)
    given_delivery(wave, DeliveryState.COVERED, passed_at=timezone.now())
    status = hop_status(hop)
    assert (status.value, status.detail, status.settled) == ("sending", "40%", 2)


def test_sent_becomes_done_when_every_reseller_is(distributor):
    hop = given_hop(distributor, state=HopState.ACCEPTED, first_sent_at=timezone.now())
    given_wave(hop, WaveState.DONE, frozen_count=2)
    resellers = OrganizationFactory.create_batch(2, reseller=True)
    for reseller in resellers:
        Edge.objects.create(hop=hop, cascade=hop.cascade, organization=reseller)
    OrganizationCompletion.objects.create(cascade=hop.cascade, organization=resellers[0])
    assert (hop_status(hop).value, hop_status(hop).detail) == ("sent", "50% done")
    OrganizationCompletion.objects.create(cascade=hop.cascade, organization=resellers[1])
    assert hop_status(hop).value == "done"


@pytest.mark.parametrize("number", [1, 30])
def test_states_of_a_page_of_hops_take_three_queries(distributor, number, django_assert_num_queries):
    page = AnnouncementPageFactory()
    made = []
    for _n in range(number):
        hop = given_hop(distributor, CascadeFactory(page=page))
        given_wave(hop, WaveState.SENDING, frozen_count=3)
        made.append(hop)
    with django_assert_num_queries(3):
        hop_statuses(made)
