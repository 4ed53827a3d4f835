from __future__ import annotations

import pytest

from accounts.enums import LinkStatus
from accounts.models import NetworkLink
from cascade.enums import CascadeState
from cms.access import can_see, explain_page, visible_pages, who_can_see
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, EdgeFactory, HopFactory


@pytest.fixture
def page(vendor):
    return AnnouncementPageFactory()


@pytest.fixture
def cascade(page):
    return CascadeFactory(page=page)


@pytest.fixture
def hop(cascade, distributor):
    return HopFactory(cascade=cascade, organization=distributor)


def test_nobody_but_the_vendor_sees_an_item_before_it_is_released(
    page, vendor_editor, distributor_manager, reseller_member
):
    assert [can_see(user, page) for user in (vendor_editor, distributor_manager, reseller_member)] == [
        True,
        False,
        False,
    ]


def test_a_distributor_sees_what_was_offered_to_it_and_its_resellers_do_not_yet(
    page, hop, distributor_manager, reseller_member, stranger
):
    assert [can_see(user, page) for user in (distributor_manager, reseller_member, stranger)] == [True, False, False]


def test_a_reseller_sees_what_it_was_given(page, hop, reseller, reseller_member, reseller_stranger):
    EdgeFactory(hop=hop, organization=reseller)
    assert [can_see(user, page) for user in (reseller_member, reseller_stranger)] == [True, False]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (CascadeState.DRAFT, False),
        (CascadeState.OPEN, True),
        (CascadeState.CLOSED, True),
        (CascadeState.RECALLED, False),
    ],
)
def test_the_state_of_the_cascade_decides(
    page, cascade, hop, reseller, distributor_manager, reseller_member, state, expected
):
    EdgeFactory(hop=hop, organization=reseller)
    cascade.state = state
    cascade.save()
    assert [can_see(distributor_manager, page), can_see(reseller_member, page)] == [expected, expected]


def test_a_second_cascade_of_a_recalled_item_shows_it_again(page, cascade, hop, distributor, distributor_manager):
    cascade.state = CascadeState.RECALLED
    cascade.save()
    HopFactory(cascade=CascadeFactory(page=page), organization=distributor)
    assert can_see(distributor_manager, page)


@pytest.mark.parametrize(("status", "expected"), [(LinkStatus.PAUSED, True), (LinkStatus.ENDED, False)])
def test_a_distributor_that_left_sees_nothing_more(page, hop, distributor, distributor_manager, status, expected):
    NetworkLink.objects.filter(downstream=distributor).update(status=status)
    assert can_see(distributor_manager, page) is expected


def test_the_answer_is_one_subquery_whatever_was_released(
    vendor, distributor, distributor_manager, django_assert_num_queries
):
    for _number in range(5):
        HopFactory(cascade=CascadeFactory(), organization=distributor)
    pages = visible_pages(distributor_manager)
    with django_assert_num_queries(1):
        assert pages.filter(content_type__model="announcementpage").count() == 5


def test_it_is_explained(page, hop, reseller, distributor, distributor_manager, reseller_member):
    assert explain_page(distributor_manager, page).reasons[-1] == "The item was passed on to them."
    assert explain_page(reseller_member, page).reasons[-1] == "The item was not passed on to them, or not yet."
    EdgeFactory(hop=hop, organization=reseller)
    assert set(who_can_see(page).organizations) == {distributor, reseller}
