"""The vendor's own network: added, sorted, paused, invited; by the vendor's managers and nobody else."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts import distributors
from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import Invitation, NetworkLink, NetworkTag, Organization
from accounts.policies import NotAllowed
from tests.factories.accounts import NetworkLinkFactory, OrganizationFactory

NEW = {
    "name": "Österreichische Systemvertriebsgesellschaft mbH",
    "country": "AT",
    "language": "de",
    "timezone_name": "Europe/Vienna",
    "tags": "Gold, Europe, gold",
    "owner_email": "chefin@osv.example",
}


def test_add_creates_the_distributor_its_link_and_an_invitation(client, vendor, vendor_editor):
    client.force_login(vendor_editor)
    assert client.post("/admin/distributors/add/", NEW).url == "/admin/distributors/"
    distributor = Organization.objects.get(name=NEW["name"])
    assert (distributor.kind, distributor.country, distributor.language) == (OrganizationKind.DISTRIBUTOR, "AT", "de")
    assert distributor.brand.pk
    link = NetworkLink.objects.get(upstream=vendor, downstream=distributor)
    assert (link.status, sorted(tag.name for tag in link.tags.all())) == (LinkStatus.ACTIVE, ["Europe", "Gold"])
    assert Invitation.objects.get(organization=distributor).email == "chefin@osv.example"
    page = client.get("/admin/distributors/").content.decode()
    assert "Österreichische Systemvertriebsgesellschaft mbH" in page


def test_add_twice_under_one_name_gives_two_addresses(vendor_editor):
    first = distributors.add_distributor(name="Acme", by=vendor_editor)
    second = distributors.add_distributor(name="Acme", by=vendor_editor)
    assert (first.downstream.slug, second.downstream.slug) == ("acme", "acme-2")


def test_add_with_an_unusable_address_says_so_at_the_field_and_creates_nothing(client, vendor, vendor_editor):
    client.force_login(vendor_editor)
    response = client.post("/admin/distributors/add/", {**NEW, "owner_email": "grüße@osv.example"})
    assert response.status_code == 200
    assert "owner_email" in response.context["form"].errors
    with pytest.raises(ValidationError):
        distributors.add_distributor(name="X", owner_email="grüße@osv.example", by=vendor_editor)
    assert not Organization.objects.distributors().exists()


def test_edit_sets_tags_and_pauses_and_resumes(client, distributor, vendor, vendor_editor):
    client.force_login(vendor_editor)
    link = NetworkLink.objects.get(upstream=vendor, downstream=distributor)
    client.post(f"/admin/distributors/{link.pk}/", {"tags": "Silver"})
    assert [tag.name for tag in link.tags.all()] == ["Silver"]
    for status in ("paused", "ended", "active"):
        client.post(f"/admin/distributors/{link.pk}/status/", {"status": status})
        link.refresh_from_db()
        assert link.status == status
    assert link.until is None
    assert "Nobody has joined yet" in client.get(f"/admin/distributors/{link.pk}/").content.decode()


def test_invite_refuses_what_is_no_address_and_sends_what_is(client, distributor, vendor, vendor_editor):
    client.force_login(vendor_editor)
    link = NetworkLink.objects.get(upstream=vendor, downstream=distributor)
    client.post(f"/admin/distributors/{link.pk}/invite/", {"email": "nobody"})
    assert not Invitation.objects.exists()
    client.post(f"/admin/distributors/{link.pk}/invite/", {"email": "first@acme.example"})
    assert Invitation.objects.get(organization=distributor).email == "first@acme.example"


@pytest.mark.parametrize("cast", ["distributor_owner", "distributor_manager", "reseller_member", "stranger"])
def test_nobody_but_the_vendor_gets_there(client, request, distributor, vendor, cast):
    user = request.getfixturevalue(cast)
    client.force_login(user)
    link = NetworkLink.objects.get(upstream=vendor, downstream=distributor)
    for path in ("", "add/", f"{link.pk}/"):
        assert client.get(f"/admin/distributors/{path}").status_code == 403
    with pytest.raises(NotAllowed):
        distributors.add_distributor(name="Mine", by=user)
    with pytest.raises(NotAllowed):
        distributors.set_status(link, LinkStatus.ENDED, by=user)
    assert not NetworkTag.objects.exists()


def test_list_costs_the_same_for_one_and_thirty(client, distributor, vendor, vendor_editor, django_assert_num_queries):
    client.force_login(vendor_editor)
    client.get("/admin/distributors/")
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/admin/distributors/")
    for _number in range(29):
        NetworkLinkFactory(upstream=vendor, downstream=OrganizationFactory(kind=OrganizationKind.DISTRIBUTOR))
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/admin/distributors/")


LIST_QUERIES = 14
