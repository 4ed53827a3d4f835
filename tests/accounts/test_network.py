"""The network by hand: verbs, screens, exports, and the walls between two distributors."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from django.urls import reverse

from accounts import consent, network
from accounts.enums import ConsentBasis, Function, LinkStatus
from accounts.models import Consent, Contact, NetworkImport, NetworkLink, NetworkTag, Organization, Suppression
from accounts.policies import NotAllowed, can
from accounts.tasks import work_on_import
from tests.accounts.imports import check, csv_file, people, run
from tests.factories.accounts import ContactFactory, NetworkLinkFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(distributor) -> NetworkLink:
    reseller = OrganizationFactory(reseller=True, name="Official Name Ltd", country="DE")
    return NetworkLinkFactory(upstream=distributor, downstream=reseller, name_as_known="Müller IT", city="Ulm")


@pytest.fixture
def contact(distributor, link) -> Contact:
    return ContactFactory(owner=distributor, organization=link.downstream, email="max@mueller.example", name="Max")


@pytest.fixture
def foreign(other_distributor, link) -> Contact:
    """The same reseller and person, as the other network knows them."""
    NetworkLinkFactory(
        upstream=other_distributor,
        downstream=link.downstream,
        name_as_known="Borealis' Mueller",
        city="Foreign City",
        customer_number="B-777",
        tags=["Foreign tag"],
    )
    return ContactFactory(
        owner=other_distributor, organization=link.downstream, email="max@mueller.example", name="Maximilian Foreign"
    )


# --- verbs -------------------------------------------------------------------------------------------------------
def test_add_reseller_by_hand_twice_is_once(distributor, distributor_manager):
    known = {"name": "Neu GmbH", "country": "DE", "domain": "neu.example", "city": "Kiel", "tags": ["Gold", "gold"]}
    link = network.add_reseller(distributor, **known, by=distributor_manager)
    assert (link.display_name, link.downstream.match_domain) == ("Neu GmbH", "neu.example")
    assert [tag.name for tag in link.tags.all()] == ["Gold"]
    with pytest.raises(network.AlreadyThere) as error:
        network.add_reseller(distributor, **known, by=distributor_manager)
    assert error.value.row == link


def test_reseller_known_elsewhere_is_added_as_if_it_were_new(
    distributor, distributor_manager, other_distributor, stranger
):
    known = {"name": "Neu GmbH", "country": "DE", "domain": "neu.example"}
    theirs = network.add_reseller(other_distributor, **known, city="Kiel", by=stranger)
    ours = network.add_reseller(distributor, **{**known, "name": "NEU"}, by=distributor_manager)
    assert ours.downstream == theirs.downstream
    assert (ours.display_name, ours.city) == ("NEU", "")


def test_edit_changes_only_what_this_upstream_knows(distributor_manager, link, foreign):
    network.edit_reseller(
        link, {"name_as_known": "Muller Ltd", "city": "Bonn", "upstream_id": 1}, by=distributor_manager
    )
    theirs = NetworkLink.objects.get(upstream=foreign.owner, downstream=link.downstream)
    assert (theirs.name_as_known, theirs.city) == ("Borealis' Mueller", "Foreign City")
    assert Organization.objects.get(pk=link.downstream_id).name == "Official Name Ltd"
    link.refresh_from_db()
    assert (link.name_as_known, link.match_name) == ("Muller Ltd", "muller")


def test_pause_resume_end_and_repeat(distributor_manager, link):
    assert network.set_status([link], LinkStatus.PAUSED, by=distributor_manager) == 1
    assert network.set_status([link], LinkStatus.PAUSED, by=distributor_manager) == 0
    network.set_status([link], LinkStatus.ENDED, by=distributor_manager)
    link.refresh_from_db()
    assert link.status == LinkStatus.ENDED
    assert link.until is not None
    network.set_status([link], LinkStatus.ACTIVE, by=distributor_manager)
    link.refresh_from_db()
    assert (link.status, link.until) == (LinkStatus.ACTIVE, None)


def test_members_and_strangers_change_nothing(distributor_member, stranger, link, contact):
    for by in (distributor_member, stranger):
        for act in (
            lambda by=by: network.edit_reseller(link, {"city": "X"}, by=by),
            lambda by=by: network.set_status([link], LinkStatus.ENDED, by=by),
            lambda by=by: network.tag([link], "X", by=by),
            lambda by=by: network.edit_contact(contact, name="X", function="sales", language="", by=by),
            lambda by=by: network.delete_contact(contact, by=by),
            lambda by=by: network.record_new_consent(contact, "X", by=by),
        ):
            with pytest.raises(NotAllowed):
                act()
    link.refresh_from_db()
    assert (link.city, link.status, NetworkTag.objects.count()) == ("Ulm", LinkStatus.ACTIVE, 0)


def test_policy_says_the_same_as_the_verbs(distributor_manager, distributor_member, stranger, link, contact):
    for row in (link, contact):
        assert [can(user, "edit", row) for user in (distributor_manager, distributor_member, stranger)] == [1, 0, 0]
        assert [can(user, "view", row) for user in (distributor_manager, distributor_member, stranger)] == [1, 1, 0]


def test_add_contact_records_the_basis_and_lifts_no_refusal(distributor, distributor_manager, link):
    consent.suppress("eva@mueller.example", "sender", "unsubscribed", sender=distributor)
    contact = network.add_contact(
        link,
        email="EVA@Mueller.example",
        name="Eva",
        function=Function.SALES,
        language="de",
        basis=ConsentBasis.CONSENT,
        source="trade fair",
        by=distributor_manager,
    )
    recorded = Consent.objects.get(address=contact.address, sender=distributor)
    assert (recorded.basis, recorded.source, recorded.by) == ("consent", "trade fair", distributor_manager)
    assert network.own_refusal(contact).reason == "unsubscribed"


def test_new_consent_needs_evidence_and_lifts_only_this_senders_unsubscription(distributor_manager, contact, foreign):
    for sender in (contact.owner, foreign.owner):
        consent.suppress(contact.address.email, "sender", "unsubscribed", sender=sender)
    with pytest.raises(NotAllowed):
        network.record_new_consent(contact, "  ", by=distributor_manager)
    network.record_new_consent(contact, "By phone on 12 November", by=distributor_manager)
    assert network.own_refusal(contact) is None
    assert network.own_refusal(foreign) is not None
    assert "By phone on 12 November" in Consent.objects.get(sender=contact.owner, address=contact.address).source


def test_spam_complaint_is_the_persons_alone_to_take_back(distributor_manager, contact):
    consent.suppress(contact.address.email, "sender", "complained", sender=contact.owner)
    with pytest.raises(NotAllowed):
        network.record_new_consent(contact, "they said so", by=distributor_manager)
    assert Suppression.objects.count() == 1


def test_tags_are_renamed_and_deleted(distributor_manager, link):
    network.tag([link], "Gold", by=distributor_manager)
    network.tag([link], "Silver", by=distributor_manager)
    gold = NetworkTag.objects.get(name="Gold")
    with pytest.raises(network.AlreadyThere):
        network.rename_tag(gold, "SILVER", by=distributor_manager)
    gold.refresh_from_db()
    network.rename_tag(gold, "Platinum", by=distributor_manager)
    network.delete_tag(NetworkTag.objects.get(name="Silver"), by=distributor_manager)
    assert [tag.name for tag in link.tags.all()] == ["Platinum"]


# --- screens -----------------------------------------------------------------------------------------------------
def fill(distributor, count: int) -> None:
    for n in range(count):
        reseller = OrganizationFactory(reseller=True)
        NetworkLinkFactory(
            upstream=distributor, downstream=reseller, name_as_known=f"Known {n:02}", segment="SMB", tags=[f"T{n % 3}"]
        )
        ContactFactory(owner=distributor, organization=reseller, name=f"Contact of {n:02}")


@pytest.mark.parametrize("count", [1, 30])
def test_list_takes_ten_queries_whatever_its_length(
    client, distributor, distributor_manager, django_assert_num_queries, count
):
    fill(distributor, count)
    client.force_login(distributor_manager)
    client.get(reverse("network"))
    with django_assert_num_queries(10):
        page = client.get(reverse("network"))
    assert page.context["page_obj"].paginator.count == count
    assert page.content.decode().count('class="row-title"') == count


@pytest.mark.parametrize("count", [1, 30])
def test_reseller_page_takes_the_same_queries_for_1_and_30_people(
    client, distributor, distributor_manager, link, django_assert_num_queries, count
):
    for _n in range(count):
        ContactFactory(owner=distributor, organization=link.downstream)
    client.force_login(distributor_manager)
    client.get(reverse("network_reseller", args=[link.pk]))
    with django_assert_num_queries(10):
        client.get(reverse("network_reseller", args=[link.pk]))


def shown(page) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]+)<', page.content.decode())


def test_search_filters_and_sort(client, distributor, distributor_manager):
    fill(distributor, 4)
    ended = NetworkLink.objects.get(name_as_known="Known 02")
    NetworkLink.objects.filter(pk=ended.pk).update(status=LinkStatus.ENDED)
    client.force_login(distributor_manager)

    def names(**query):
        return shown(client.get(reverse("network"), query))

    assert names() == ["Known 00", "Known 01", "Known 03"]
    assert names(sort="-name") == ["Known 03", "Known 01", "Known 00"]
    assert names(q="contact of 03") == ["Known 03"]
    assert names(status="ended") == ["Known 02"]
    assert names(status="all", sort="people") == ["Known 00", "Known 01", "Known 02", "Known 03"]
    assert names(tag=NetworkTag.objects.get(name="T0").pk) == ["Known 00", "Known 03"]
    assert names(country="FR") == ["Known 00", "Known 01", "Known 03"]  # not a choice: no filter
    assert names(segment="SMB", q="known 01") == ["Known 01"]


def test_export_matches_the_screen_and_runs_no_formula(client, distributor, distributor_manager):
    fill(distributor, 3)
    NetworkLink.objects.filter(name_as_known="Known 01").update(name_as_known="=cmd|' /C calc'!A1", city="-1")
    client.force_login(distributor_manager)
    query = {"q": "", "sort": "-name"}
    lines = b"".join(client.get(reverse("network_export", args=["csv"]), query)).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Reseller", "Known 02", "Known 00", "'=cmd|' /C calc'!A1"]
    book = openpyxl.load_workbook(io.BytesIO(client.get(reverse("network_export", args=["xlsx"]), query).content))
    cells = [(row[0].value, row[0].data_type, row[11].value) for row in book.active.iter_rows(min_row=2)]
    assert cells == [("Known 02", "s", 1), ("Known 00", "s", 1), ("'=cmd|' /C calc'!A1", "s", 1)]


def test_bulk_acts_ask_first_and_touch_only_own_resellers(client, distributor_manager, link, foreign):
    theirs = NetworkLink.objects.get(upstream=foreign.owner, downstream=link.downstream)
    client.force_login(distributor_manager)
    data = {"action": "ended", "row": [link.pk, theirs.pk]}
    asked = client.post(reverse("network_bulk"), data)
    assert "Müller IT" in asked.content.decode()
    assert "Borealis" not in asked.content.decode()
    link.refresh_from_db()
    assert link.status == LinkStatus.ACTIVE
    client.post(reverse("network_bulk"), {**data, "confirmed": "yes"})
    link.refresh_from_db()
    theirs.refresh_from_db()
    assert (link.status, theirs.status) == (LinkStatus.ENDED, LinkStatus.ACTIVE)


def test_bulk_tag_of_everything_that_matches(client, distributor, distributor_manager):
    fill(distributor, 5)
    client.force_login(distributor_manager)
    data = {"action": "tag", "name": "New", "everything": "on", "query": "q=known+03", "confirmed": "yes"}
    client.post(reverse("network_bulk"), data)
    assert list(NetworkLink.objects.filter(tags__name="New").values_list("name_as_known", flat=True)) == ["Known 03"]


def test_forms_of_resellers_and_contacts(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    data = {
        "name_as_known": "Neu GmbH",
        "country": "DE",
        "city": "Kiel",
        "website": "https://www.neu.example/x",
        "tags": "a, b",
    }
    answer = client.post(reverse("network_add"), data)
    link = NetworkLink.objects.get(upstream=distributor, name_as_known="Neu GmbH")
    assert answer.url == reverse("network_reseller", args=[link.pk])
    assert link.match_domain == "neu.example"
    person = {"name": "Eva", "email": "not-an-address", "function": "sales", "language": "German", "basis": "consent"}
    add = reverse("network_contact_add", args=[link.pk])
    assert "is not an e-mail address" in client.post(add, person).content.decode()
    client.post(add, {**person, "email": "eva@neu.example"})
    contact = Contact.objects.get(address__email="eva@neu.example")
    assert (contact.language, contact.function) == ("de", "sales")
    assert "already" in client.post(add, {**person, "email": "EVA@neu.example"}).content.decode()
    edit = {"name": "Eva Neu", "function": "owner", "language": "klingon"}
    page = client.post(reverse("network_contact", args=[contact.pk]), edit)
    assert "We do not know this language" in page.content.decode()
    client.post(reverse("network_contact", args=[contact.pk]), {**edit, "language": "pt_BR"})
    contact.refresh_from_db()
    assert (contact.name, contact.language) == ("Eva Neu", "pt-BR")
    client.post(reverse("network_reseller_edit", args=[link.pk]), {"name_as_known": "Neuer", "tags": "b", "city": ""})
    link.refresh_from_db()
    assert (link.name_as_known, link.city, [t.name for t in link.tags.all()]) == ("Neuer", "", ["b"])


def test_refusal_is_shown_with_its_reason_and_the_way_back(client, distributor_manager, contact):
    consent.suppress(contact.address.email, "sender", "unsubscribed", sender=contact.owner)
    client.force_login(distributor_manager)
    page = client.get(reverse("network_contact", args=[contact.pk])).content.decode()
    assert "Unsubscribed" in page
    resubscribe = reverse("network_contact_resubscribe", args=[contact.pk])
    assert resubscribe in page
    assert client.post(resubscribe, {"evidence": ""}).status_code == 200
    assert client.post(resubscribe, {"evidence": "by phone"}).status_code == 302
    assert network.own_refusal(contact) is None


# --- walls -------------------------------------------------------------------------------------------------------
def addresses_of(link, contact, tag, network_import) -> list[str]:
    """Every address that names a row."""
    return [
        reverse("network_reseller", args=[link.pk]),
        reverse("network_reseller_edit", args=[link.pk]),
        reverse("network_reseller_status", args=[link.pk, "end"]),
        reverse("network_contact_add", args=[link.pk]),
        reverse("network_contact", args=[contact.pk]),
        reverse("network_contact_delete", args=[contact.pk]),
        reverse("network_contact_basis", args=[contact.pk]),
        reverse("network_contact_resubscribe", args=[contact.pk]),
        reverse("network_tag", args=[tag.pk]),
        reverse("network_import", args=[network_import.pk]),
        reverse("network_import_columns", args=[network_import.pk]),
        reverse("network_import_progress", args=[network_import.pk]),
        reverse("network_import_refused", args=[network_import.pk]),
    ]


def posts_of(link, contact, network_import) -> list[str]:
    return [
        reverse("network_reseller_status", args=[link.pk, "pause"]),
        reverse("network_contact_invite", args=[link.pk, contact.pk]),
        reverse("network_contact_active", args=[contact.pk, "off"]),
        reverse("network_contact_delete", args=[contact.pk]),
        reverse("network_import_confirm", args=[network_import.pk]),
        reverse("network_import_discard", args=[network_import.pk]),
        reverse("network_import_format", args=[network_import.pk]),
    ]


def test_the_stranger_finds_nothing(client, distributor, stranger, link, contact):
    tag = NetworkTag.objects.create(owner=distributor, name="Sapphire")
    checked = check(distributor, csv_file(people(3)))
    client.force_login(stranger)
    for url in addresses_of(link, contact, tag, checked):
        assert client.get(url).status_code == 404, url
    for url in posts_of(link, contact, checked):
        assert client.post(url).status_code == 404, url
    for url in (reverse("network"), reverse("network_imports"), reverse("network_tags")):
        page = client.get(url).content.decode()
        assert "Müller IT" not in page
        assert "network.csv" not in page
        assert "Sapphire" not in page
    exported = b"".join(client.get(reverse("network_export", args=["csv"]))).decode()
    assert "Müller" not in exported
    contact.refresh_from_db()
    checked.refresh_from_db()
    assert (contact.is_active, checked.state) == (True, "checked")


def test_members_read_and_managers_edit(client, distributor_member, link, contact):
    client.force_login(distributor_member)
    page = client.get(reverse("network_reseller", args=[link.pk]))
    assert page.status_code == 200
    assert "Edit" not in shown(page)
    assert client.get(reverse("network")).status_code == 200
    for url in (
        reverse("network_add"),
        reverse("network_reseller_edit", args=[link.pk]),
        reverse("network_contact", args=[contact.pk]),
        reverse("network_imports"),
    ):
        assert client.get(url).status_code == 403, url
    assert client.post(reverse("network_tags"), {"name": "Gold"}).status_code == 403
    assert not NetworkTag.objects.exists()


def test_resellers_and_vendors_have_no_such_pages(client, reseller_member, vendor_editor, link):
    for user in (reseller_member, vendor_editor):
        client.force_login(user)
        for url in (reverse("network"), reverse("network_imports"), reverse("network_reseller", args=[link.pk])):
            assert client.get(url).status_code == 403, url


def test_another_networks_knowledge_of_the_same_reseller_stays_there(
    client, distributor_manager, link, contact, foreign
):
    client.force_login(distributor_manager)
    pages = [
        reverse("network"),
        reverse("network_reseller", args=[link.pk]),
        reverse("network_contact", args=[contact.pk]),
        reverse("network_tags"),
    ]
    text = "".join(client.get(url).content.decode() for url in pages)
    text += b"".join(client.get(reverse("network_export", args=["csv"]))).decode()
    for secret in ("Borealis", "Foreign City", "B-777", "Foreign tag", "Maximilian"):
        assert secret not in text
    assert shown(client.get(reverse("network"), {"q": "Maximilian"})) == []


def test_vendor_exports_organizations_without_people(
    client, vendor_editor, distributor_manager, link, contact, foreign
):
    url = reverse("organizations_export", args=["csv"])
    client.force_login(vendor_editor)
    text = b"".join(client.get(url)).decode()
    assert "Official Name Ltd,Reseller,DE,2," in text
    assert "max@mueller.example" not in text
    assert "Müller IT" not in text
    client.force_login(distributor_manager)
    assert client.get(url).status_code == 403


# --- the import's pages ------------------------------------------------------------------------------------------
def test_import_through_the_pages(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    file = io.BytesIO(csv_file([*people(6), ("Bücher", "Atlantis", "", "x@bad.example", "X", "", "")]))
    file.name = "netz.csv"
    answer = client.post(reverse("network_imports"), {"file": file})
    uploaded = NetworkImport.objects.get()
    columns = reverse("network_import_columns", args=[uploaded.pk])
    assert answer.url == columns
    page = client.get(columns).content.decode()
    assert "Reseller 0 · Reseller 1" in page
    chosen = {
        f"column_{n}": field
        for n, field in enumerate(["company", "country", "city", "email", "name", "function", "language"])
    }
    refused = client.post(columns, chosen)
    assert "Say why these people may be mailed" in refused.content.decode()
    client.post(columns, {**chosen, "basis": "contract", "default_country": "DE"})
    here = reverse("network_import", args=[uploaded.pk])
    assert "Checking the rows" in client.get(here).content.decode()
    progress = reverse("network_import_progress", args=[uploaded.pk])
    assert client.get(progress).status_code == 200
    work_on_import(uploaded.pk)
    assert client.get(progress).status_code == 286
    page = client.get(here).content.decode()
    assert "Import 6 rows" in page
    assert "“Atlantis” is not a country we know" in page
    assert "Person 3" not in client.get(here, {"outcome": "refused"}).content.decode()
    assert "Person 3" not in client.get(here, {"code": "unknown_country"}).content.decode()
    assert "Person 3" in client.get(here, {"q": "p3@r0"}).content.decode()
    assert "Atlantis" in client.get(here, {"q": "bücher"}).content.decode()
    assert not Contact.objects.exists()
    client.post(reverse("network_import_confirm", args=[uploaded.pk]))
    work_on_import(uploaded.pk)
    assert "Imported on" in client.get(here).content.decode()
    assert Contact.objects.filter(owner=distributor).count() == 6
    download = client.get(reverse("network_import_refused", args=[uploaded.pk]))
    assert download["Content-Disposition"] == 'attachment; filename="netz-refused.csv"'


def test_upload_that_is_no_table_says_why_and_keeps_nothing(client, distributor_manager):
    client.force_login(distributor_manager)
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.name = "logo.csv"
    page = client.post(reverse("network_imports"), {"file": file})
    assert "This is a PNG file" in page.content.decode()
    assert not NetworkImport.objects.exists()


def test_file_can_be_read_differently(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    file = io.BytesIO("Firma;Land;Ort\r\nŁódź IT;PL;Łódź\r\n".encode("cp1250"))
    file.name = "n.csv"
    client.post(reverse("network_imports"), {"file": file})
    uploaded = NetworkImport.objects.get()
    form = {"format-encoding": "cp1252", "format-delimiter": ";", "format-header_row": "1"}
    client.post(reverse("network_import_format", args=[uploaded.pk]), form)
    uploaded.refresh_from_db()
    assert uploaded.format["sample"][0][0] != "Łódź IT"
    client.post(reverse("network_import_format", args=[uploaded.pk]), {**form, "format-encoding": "cp1250"})
    uploaded.refresh_from_db()
    assert uploaded.format["sample"][0][0] == "Łódź IT"
    assert uploaded.columns == {"Firma": "company", "Land": "country", "Ort": "city"}


def test_bad_bulk_form_is_told_and_changes_nothing(client, distributor_manager, link):
    client.force_login(distributor_manager)
    page = client.post(reverse("network_bulk"), {"action": "tag", "row": [link.pk]}, follow=True)
    assert "Name the tag." in page.content.decode()
    page = client.post(reverse("network_bulk"), {"action": "ended"}, follow=True)
    assert "Choose resellers first." in page.content.decode()


@pytest.mark.parametrize("count", [1, 30])
def test_rows_page_takes_the_same_queries_for_1_and_30_rows(
    client, distributor, distributor_manager, django_assert_num_queries, count
):
    done = run(distributor, csv_file(people(count)))
    client.force_login(distributor_manager)
    client.get(reverse("network_import", args=[done.pk]))
    with django_assert_num_queries(7):
        client.get(reverse("network_import", args=[done.pk]))
