"""The reseller's side of the portal."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import LinkStatus
from accounts.models import NetworkLink
from cascade.enums import CascadeState, HopState
from cascade.models import Completion, Edge, LedgerEvent
from tests.factories.accounts import NetworkLinkFactory, member
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, EdgeFactory, HopFactory

INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", re.IGNORECASE)


def give(distributor, reseller, title="Firmware 9", **cascade) -> Edge:
    released = CascadeFactory(page=AnnouncementPageFactory(title=title), **cascade)
    return EdgeFactory(hop=HopFactory(cascade=released, organization=distributor, sent=True), organization=reseller)


@pytest.fixture
def edge(distributor, reseller) -> Edge:
    return give(distributor, reseller)


@pytest.fixture
def rita(client, reseller_member):
    client.force_login(reseller_member)
    return client


def item_url(edge: Edge) -> str:
    return reverse("reseller_item", args=[edge.cascade_id])


def html(response) -> str:
    return response.content.decode()


# --- home ---------------------------------------------------------------------------------------------------------
def test_home_lists_what_is_to_do_by_due_date(rita, distributor, reseller):
    now = timezone.now()
    give(distributor, reseller, "Later item", due_at=now + timedelta(days=9))
    give(distributor, reseller, "Late item", due_at=now - timedelta(days=1))
    page = html(rita.get(reverse("reseller_home")))
    assert "2 things to do" in page
    assert page.index("Late item") < page.index("Later item")
    assert page.count("tone-danger") == 1
    assert INLINE.findall(page) == []


def test_home_without_anything_says_what_it_is_for(rita):
    page = html(rita.get(reverse("reseller_home")))
    assert "Nothing to do" in page
    assert "Acme Distribution" in page


def test_home_without_a_distributor(rita, edge):
    NetworkLink.objects.filter(upstream=edge.hop.organization).update(status=LinkStatus.ENDED)
    page = html(rita.get(reverse("reseller_home")))
    assert "No distributor yet" in page
    assert "Firmware 9" in page  # what was given stays readable, but asks for nothing
    assert "Nothing to do" in page


def test_home_shows_the_distributors_contact(rita, edge):
    brand = edge.hop.organization.brand
    brand.contact_name, brand.contact_phone = "Anna Berg", "+49 40 1234567"
    brand.save()
    page = html(rita.get(reverse("reseller_home")))
    assert "Anna Berg" in page
    assert "tel:+49 40 1234567" in page


@pytest.mark.parametrize("name", ["reseller_home", "reseller_items"])
def test_lists_cost_the_same_with_one_and_thirty_items(
    rita, distributor, reseller, edge, django_assert_num_queries, name
):
    rita.get(reverse(name))
    with django_assert_num_queries(11):
        rita.get(reverse(name))
    for number in range(29):
        given = give(distributor, reseller, f"Item {number}")
        if number % 2:
            Completion.objects.create(
                cascade=given.cascade, person=rita.get(reverse(name)).wsgi_request.user.person, goal="acknowledged"
            )
    with django_assert_num_queries(11):
        rita.get(reverse(name))


# --- an item ------------------------------------------------------------------------------------------------------
def test_item_wears_the_givers_brand_and_is_acknowledged_once(rita, edge, reseller_member):
    page = html(rita.get(item_url(edge)))
    assert "Update before" in page
    assert f"/brand/{edge.hop.organization.brand.pk}/" in page
    assert INLINE.findall(page) == []
    for _time in range(2):
        response = rita.post(item_url(edge), {"goal": "acknowledged"}, follow=True)
    assert Completion.objects.get().person == reseller_member.person
    assert Completion.objects.get().evidence == {"through": "portal"}
    assert "Acknowledged" in html(response)
    assert 'name="goal"' not in html(response)
    assert "Nothing to do" in html(rita.get(reverse("reseller_home")))


def test_get_changes_nothing(rita, edge):
    for name in ("reseller_item", "reseller_item_read"):
        rita.get(reverse(name, args=[edge.cascade_id]))
    assert Completion.objects.count() == 0
    assert LedgerEvent.objects.count() == 0


def test_reading_for_ten_seconds_completes_a_reading_goal(rita, distributor, reseller):
    edge = give(distributor, reseller, goal="read")
    response = rita.post(reverse("reseller_item_read", args=[edge.cascade_id]))
    assert response.status_code == 204
    assert Completion.objects.get().goal == "read"


def test_reading_is_not_acknowledging(rita, edge):
    rita.post(reverse("reseller_item_read", args=[edge.cascade_id]))
    assert Completion.objects.count() == 0


def test_item_done_by_a_colleague_is_no_longer_to_do(rita, edge, reseller, client):
    colleague = member(reseller, email="colleague@cobalt.example")
    client.force_login(colleague)
    client.post(item_url(edge), {"goal": "acknowledged"})
    client.force_login(reseller.memberships.order_by("pk").first().user)
    page = html(client.get(reverse("reseller_home")))
    assert "Nothing to do" in page
    assert "Done by your team" in page


def test_closed_item_is_readable_and_records_nothing(rita, edge):
    edge.cascade.state = CascadeState.CLOSED
    edge.cascade.save()
    assert 'name="goal"' not in html(rita.get(item_url(edge)))
    response = rita.post(item_url(edge), {"goal": "acknowledged"}, follow=True)
    assert "nothing was recorded" in html(response)
    assert Completion.objects.count() == 0


@pytest.mark.parametrize("by", ["cascade", "hop"])
def test_recalled_item_leaves_a_tombstone(rita, edge, by):
    if by == "cascade":
        edge.cascade.state, edge.cascade.recall_reason = CascadeState.RECALLED, "The price was wrong."
        edge.cascade.save()
    else:
        edge.hop.state = HopState.RECALLED
        edge.hop.save()
    response = rita.get(item_url(edge))
    assert response.status_code == 410
    assert "has been withdrawn" in html(response)
    assert "Update before" not in html(response)
    assert "Recalled" in html(rita.get(reverse("reseller_home")))


# --- several distributors -----------------------------------------------------------------------------------------
def test_item_of_two_distributors_is_listed_once_as_of_the_active_one(rita, edge, other_distributor, reseller):
    NetworkLinkFactory(upstream=other_distributor, downstream=reseller)
    EdgeFactory(hop=HopFactory(cascade=edge.cascade, organization=other_distributor, sent=True), organization=reseller)
    page = html(rita.get(reverse("reseller_home")))
    assert "1 thing to do" in page
    rita.post(reverse("switch", args=[other_distributor.pk]))
    page = html(rita.get(item_url(edge)))
    assert f"/brand/{other_distributor.brand.pk}/" in page


# --- strangers ----------------------------------------------------------------------------------------------------
def test_stranger_sees_nothing_of_it(client, edge, reseller_stranger):
    client.force_login(reseller_stranger)
    for name in ("reseller_home", "reseller_items"):
        assert "Firmware 9" not in html(client.get(reverse(name)))
    for method in (client.get, client.post):
        assert method(item_url(edge), {"goal": "acknowledged"}).status_code == 404
    assert client.post(reverse("reseller_item_read", args=[edge.cascade_id])).status_code == 404
    assert Completion.objects.count() == 0


@pytest.mark.parametrize("who", ["distributor_manager", "stranger", "vendor_editor"])
def test_others_are_not_let_in(client, edge, who, request):
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("reseller_home")).status_code == 403
    assert client.get(item_url(edge)).status_code == 403


def test_anonymous_is_sent_to_sign_in(client, edge):
    response = client.get(item_url(edge))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


# --- from the content tree ----------------------------------------------------------------------------------------
def test_cascaded_page_in_the_content_tree_leads_to_the_item(rita, edge, reseller):
    page = edge.cascade.contents.get().page
    response = rita.get(page.specific.get_url())
    assert (response.status_code, response.headers.get("Location")) == (302, item_url(edge))


def test_cascaded_page_in_the_content_tree_leads_a_distributor_to_its_hop(client, edge, distributor_manager):
    client.force_login(distributor_manager)
    response = client.get(edge.cascade.contents.get().page.specific.get_url())
    assert response.headers.get("Location") == reverse("workspace_hop", args=[edge.hop_id])


def test_cascaded_page_does_not_exist_for_who_was_not_given_it(client, edge, reseller_stranger):
    client.force_login(reseller_stranger)
    assert client.get(edge.cascade.contents.get().page.specific.get_url()).status_code == 404
