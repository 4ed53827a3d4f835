"""Choosing an audience and reading what it comes to."""

from __future__ import annotations

import io

import openpyxl
import pytest

from accounts.models import Suppression
from accounts.models.people import address_hash
from cascade.audience import Audience
from tests.factories.accounts import ContactFactory, NetworkLinkFactory, OrganizationFactory
from tests.factories.cascade import CascadeFactory, HopFactory


@pytest.fixture
def hop(distributor):
    return HopFactory(organization=distributor, cascade=CascadeFactory(), accepted=True)


@pytest.fixture
def manager(client, distributor_manager):
    client.force_login(distributor_manager)
    return client


@pytest.fixture
def network(distributor):
    """Three people at two resellers who can be mailed; one unsubscribed, one without consent."""
    gold = OrganizationFactory(reseller=True, name="Alpen-Netz AG", country="AT", language="de")
    plain = OrganizationFactory(reseller=True, name="Bytewerk", country="DE", language="de")
    NetworkLinkFactory(upstream=distributor, downstream=gold, tags=["Gold"], customer_number="K-77", city="Wien")
    NetworkLinkFactory(upstream=distributor, downstream=plain)
    for name, reseller, more in [
        ("Anja", gold, {"function": "sales", "language": "de"}),
        ("Ben", gold, {"function": "technical", "language": "en"}),
        ("Cleo", plain, {"function": "sales", "language": "de"}),
        ("Dora", plain, {"consent": False}),
        ("Emil", plain, {}),
    ]:
        contact = ContactFactory(owner=distributor, organization=reseller, name=name, **more)
    Suppression.objects.create(
        scope="sender", sender=distributor, email_hash=address_hash(contact.address.email), reason="unsubscribed"
    )
    return {"gold": gold, "plain": plain}


def url(hop, rest=""):
    return f"/workspace/{hop.pk}/audience/{rest}"


def file_of(response) -> bytes:
    return b"".join(response)


def words(response) -> str:
    return " ".join(b"".join(response).decode().split())


def test_the_sentence_says_how_many_and_why_some_not_each_with_its_list(manager, hop, network):
    page = words(manager.get(url(hop)))
    assert ">3</a>" in page
    assert "people at 2 resellers" in page
    assert "2 will not get it:" in page
    assert f'<a href="{url(hop, "people/")}?reason=unsubscribed">1 unsubscribed</a>' in page
    assert f'<a href="{url(hop, "people/")}?reason=no_consent">1 without consent</a>' in page


@pytest.mark.parametrize(
    ("choice", "people"),
    [
        ({"who": "all", "countries": ["AT"]}, 3),  # what belongs to another way does not count
        ({"who": "some", "countries": ["AT"]}, 2),
        ({"who": "some", "functions": ["sales"]}, 2),
        ({"who": "some", "languages": ["de"]}, 2),
        ({"who": "some", "countries": ["AT"], "functions": ["sales"]}, 1),
    ],
)
def test_each_change_is_saved_and_counted_at_once(manager, hop, network, choice, people):
    answer = manager.post(url(hop), choice, headers={"HX-Request": "true"})
    assert f">{people}</a>" in words(answer)
    assert "<html" not in words(answer)
    hop.refresh_from_db()
    assert Audience.from_json(hop.audience).is_everyone == (choice["who"] == "all")


def test_resellers_are_picked_by_search(manager, hop, network):
    found = words(manager.get(url(hop, "resellers/"), {"q": "wien k-77", "who": "picked"}))
    assert "Alpen-Netz AG" in found
    assert "Bytewerk" not in found
    answer = manager.post(url(hop), {"who": "picked", "organizations": [network["gold"].pk]})
    assert answer.url == f"/workspace/{hop.pk}/send/"
    hop.refresh_from_db()
    assert hop.audience == {"organizations": [network["gold"].pk]}
    assert "Alpen-Netz AG" in words(manager.get(url(hop)))


def test_picking_nobody_is_refused_at_the_field(manager, hop, network):
    assert "Pick at least one reseller." in words(manager.post(url(hop), {"who": "picked"}))
    answer = words(manager.post(url(hop), {"who": "picked"}, headers={"HX-Request": "true"}))
    assert "Pick at least one reseller." in answer


def test_a_reseller_or_tag_of_another_network_is_no_choice(manager, hop, network, other_reseller, other_distributor):
    NetworkLinkFactory(upstream=other_distributor, downstream=other_reseller, tags=["Theirs"])
    tag = other_distributor.network_tags.get()
    assert manager.post(url(hop), {"who": "picked", "organizations": [other_reseller.pk]}).status_code == 422
    assert manager.post(url(hop), {"who": "some", "tags": [tag.pk]}).status_code == 422
    hop.refresh_from_db()
    assert hop.audience == {}
    page = words(manager.get(url(hop, "resellers/"), {"q": "dunkel"}))
    assert "Dunkel" not in page
    assert "Theirs" not in words(manager.get(url(hop)))


def test_the_audience_never_says_that_somebody_else_serves_them(manager, hop, network, other_distributor, distributor):
    """Anja has the item from another distributor already; here she counts like everybody."""
    theirs = HopFactory(organization=other_distributor, cascade=hop.cascade, accepted=True)
    NetworkLinkFactory(upstream=other_distributor, downstream=network["gold"])
    ContactFactory(owner=other_distributor, organization=network["gold"], email="anja@else.example")
    before = words(manager.get(url(hop)))
    theirs.first_sent_at = hop.cascade.released_at
    theirs.save()
    assert words(manager.get(url(hop))).replace("csrf", "") != ""
    assert ">3</a>" in before
    assert ">3</a>" in words(manager.get(url(hop)))
    assert "Borealis" not in words(manager.get(url(hop)))


def test_lists_behind_the_numbers_and_their_files(manager, hop, network):
    page = words(manager.get(url(hop, "people/?reason=no_consent")))
    assert "Dora" in page
    assert "Anja" not in page
    rows = file_of(manager.get(url(hop, "people/?format=csv"))).decode("utf-8-sig").splitlines()
    assert len(rows) == 4
    book = openpyxl.load_workbook(io.BytesIO(file_of(manager.get(url(hop, "people/?format=xlsx")))))
    assert [row[1] for row in book.active.iter_rows(values_only=True)] == ["Name", "Anja", "Ben", "Cleo"]


def test_a_name_that_looks_like_a_formula_is_text_in_the_file(manager, hop, distributor):
    ContactFactory(owner=distributor, name="=HYPERLINK(1)")
    rows = file_of(manager.get(url(hop, "people/?format=csv"))).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in rows


def test_members_look_and_change_nothing(client, hop, network, distributor_member):
    client.force_login(distributor_member)
    assert ">3</a>" in words(client.get(url(hop)))
    client.post(url(hop), {"who": "some", "countries": ["AT"]}, headers={"HX-Request": "true"})
    hop.refresh_from_db()
    assert hop.audience == {}


@pytest.mark.parametrize("number", [1, 30])
def test_audience_takes_the_same_queries_for_one_and_thirty_resellers(
    manager, hop, distributor, number, django_assert_num_queries
):
    for _n in range(number):
        ContactFactory(owner=distributor)
    manager.get(url(hop))
    with django_assert_num_queries(AUDIENCE_QUERIES):
        manager.get(url(hop))


AUDIENCE_QUERIES = 15
