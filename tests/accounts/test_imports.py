"""Imports end to end: what each row of real and broken files becomes, and that writing twice writes once."""

from __future__ import annotations

from pathlib import Path

import pytest

from accounts import consent
from accounts import people as accounts_people
from accounts.enums import ConsentBasis, ImportState, LinkStatus, OrganizationKind
from accounts.imports import leases, steps, writing
from accounts.models import (
    Address,
    ColumnMapping,
    Consent,
    Contact,
    ImportRow,
    NetworkImport,
    NetworkLink,
    Organization,
    OrganizationDoubt,
    Person,
    Suppression,
)
from accounts.policies import NotAllowed
from tests.accounts.imports import (
    GERMAN,
    check,
    counts,
    csv_file,
    notes,
    people,
    refusals,
    run,
    texts,
    upload,
    xlsx_file,
)

pytestmark = pytest.mark.django_db
FILES = Path(__file__).parent / "files"


def everything() -> dict[str, int]:
    """How many rows there are of what an import may write."""
    models = (Organization, NetworkLink, Person, Address, Contact, Consent, Suppression)
    return {model.__name__: model.objects.count() for model in models}


# --- shapes ------------------------------------------------------------------------------------------------------
def test_german_export_in_cp1252_with_semicolons(distributor):
    rows = [
        ("Schäfer AG & Co. KGaA", "Deutschland", "Lübben", "sib@sc.example", "Sibylle Zänker", "Verkauf", "deutsch"),
        ("Schäfer AG & Co. KGaA", "Deutschland", "Lübben", "iris@sc.example", "Iris Köhler", "Inhaberin", "de-AT"),
        ("Courvoisier SA", "Schweiz", "Genève", "emma@courvoisier.example", "Emma Besse", "Technik", "Französisch"),
    ]  # fmt: skip
    done = run(distributor, csv_file(rows, headers=GERMAN, delimiter=";", encoding="cp1252"))
    assert (done.format["encoding"], done.format["delimiter"]) == ("cp1252", ";")
    assert counts(done) == {"created": 3}
    links = NetworkLink.objects.filter(upstream=distributor).order_by("pk")
    assert [(link.display_name, link.downstream.country, link.city) for link in links] == [
        ("Schäfer AG & Co. KGaA", "DE", "Lübben"),
        ("Courvoisier SA", "CH", "Genève"),
    ]
    contacts = Contact.objects.filter(owner=distributor).order_by("pk").values_list("name", "function", "language")
    assert list(contacts) == [
        ("Sibylle Zänker", "sales", "de"),
        ("Iris Köhler", "owner", "de-AT"),
        ("Emma Besse", "technical", "fr"),
    ]


def test_xlsx_with_korean_and_japanese_names_behind_a_sheet_of_notes(distributor):
    headers = ("회사명", "국가", "도시", "이메일", "담당자명", "직책", "언어")
    rows = [
        ("유한회사 한가람유통", "대한민국", "춘천시", "jang@hangaram.example", "장성민", "마케팅", "한국어"),
        ("株式会社ガイア", "日本", "東京", "sato@gaia.example", "佐藤 花子", "営業", "日本語"),
    ]
    done = run(distributor, xlsx_file(rows, headers=headers), "network.xlsx")
    assert (done.format["sheet"], done.format["sheets"]) == ("Contacts", ["Notes", "Contacts"])
    assert counts(done) == {"created": 2}
    found = Contact.objects.filter(owner=distributor).order_by("language")
    assert [(c.name, c.function, c.language, c.organization.country) for c in found] == [
        ("佐藤 花子", "sales", "ja", "JP"),
        ("장성민", "marketing", "ko", "KR"),
    ]


def test_tab_file_that_shares_people_with_another_network(distributor, other_distributor):
    run(distributor, csv_file(people(40), encoding="cp1252"))
    shared = [(*row[:3], row[3].upper(), f"{row[4]} ", *row[5:]) for row in people(40)[10:30]]
    own = [("Vexis only", "NL", "Utrecht", f"v{n}@vexis-only.example", f"V {n}", "owner", "nl") for n in range(5)]
    before = everything()
    done = run(other_distributor, csv_file([*shared, *own], delimiter="\t"), "network.txt")
    assert counts(done) == {"created": 25}
    assert done.report["new_contacts"] == 25
    after = everything()
    assert after["Address"] - before["Address"] == 5
    assert after["Contact"] - before["Contact"] == 25
    assert after["Organization"] - before["Organization"] == 1  # the six shared resellers are the same ones
    assert after["NetworkLink"] - before["NetworkLink"] == 7
    assert Contact.objects.filter(owner=distributor, name="Person 12 ").count() == 0


def test_companies_without_people_are_imported_too(distributor):
    rows = [("Alpha", "DE", "Ulm"), ("Beta", "AT", "Wien"), ("Alpha", "DE", "Ulm")]
    done = run(distributor, csv_file(rows, headers=("Händler", "Land", "Ort"), delimiter=";"))
    assert counts(done) == {"created": 2, "refused": 1}
    assert refusals(done) == {4: [": duplicate_company"]}
    assert NetworkLink.objects.filter(upstream=distributor).count() == 2
    assert not Contact.objects.exists()


def test_first_and_last_name_tags_and_customer_number(distributor):
    headers = ("Firma", "Land", "Vorname", "Name", "E-Mail", "Kd.-Nr.", "Tags", "Gebiet", "Produktlinien")
    rows = [("Ost GmbH", "D", "Jörg", "Weiß", "j@ost.example", "0042", "Gold| Cloud", "Nord", "Switches")]
    done = run(distributor, csv_file(rows, headers=headers, delimiter=";", encoding="cp1252"))
    assert counts(done) == {"created": 1}
    link = NetworkLink.objects.get(upstream=distributor)
    assert (link.customer_number, link.territory, link.product_lines) == ("0042", "Nord", "Switches")
    assert sorted(tag.name for tag in link.tags.all()) == ["Cloud", "Gold"]
    assert Contact.objects.get().name == "Jörg Weiß"


# --- broken rows -------------------------------------------------------------------------------------------------
def test_broken_file_names_each_bad_row_and_loses_no_good_one(distributor):
    done = run(distributor, (FILES / "broken.csv").read_bytes())
    assert refusals(done) == {
        5: ["Company: formula", "Name: formula"],
        6: ["E-mail: email_empty"],
        7: ["E-mail: email_invalid"],
        8: ["E-mail: email_several"],
        9: ["E-mail: email_control"],
        10: [": duplicate"],
        11: [": duplicate"],
        13: ["Language: unknown_language"],
        14: ["Country: unknown_country"],
        15: ["Company: overlong", "Name: overlong"],
        16: ["E-mail: email_local_part"],
        18: [": short_row"],
        19: [": long_row"],
        20: ["Company: mojibake", "Name: mojibake"],
        21: ["Company: nul"],
        22: [": truncated_quote"],
        25: [": truncated_quote"],
    }
    assert counts(done) == {"created": 7, "refused": 17}
    emails = set(Contact.objects.filter(owner=distributor).values_list("address__email", flat=True))
    assert emails == {
        "hannah@bk0.example",
        "justin@bk0.example",
        "sian@bk5.example",
        "xss@bk.example",
        "info@xn--bcher-kva.example",  # a domain may have letters of any language
        "after@bk.example",
        "later@bk.example",
    }
    assert notes(done) == {12: ["markup", "markup"]}
    assert NetworkLink.objects.filter(name_as_known="Script <script>alert(1)</script> Ltd").count() == 1


def test_reasons_are_words_that_name_cell_and_value(distributor):
    done = check(distributor, (FILES / "broken.csv").read_bytes())
    rows = {row.number: texts(row) for row in done.rows.filter(outcome="refused")}
    assert rows[13] == ["Language: “klingon” is not a language we know; use its name or a code such as “de”."]
    assert rows[15][1] == "Name: The text has 300 characters; 200 are possible."
    assert rows[10] == ["The same person at the same company as in row 2; the first row counts."]
    assert rows[18] == ["The row has 2 cells where the header has 6."]


def test_formula_cells_of_a_workbook_are_refused(distributor):
    rows = [
        ("Safe Ltd", "GB", "Leeds", "a@safe.example", "Ann", "sales", "en"),
        ("=1+1", "GB", "Leeds", "b@safe.example", "Bob", "sales", "en"),
        ("Error Ltd", "#N/A", "Leeds", "c@safe.example", "Cy", "sales", "en"),
        ("+Plus Ltd", "GB", 12, "d@plus.example", "-Dee", "sales", "en"),
    ]
    done = check(distributor, xlsx_file(rows), "n.xlsx")
    assert refusals(done) == {3: ["Company: formula"], 4: ["Country: cell_error"]}
    assert notes(done) == {5: ["starts_like_formula", "starts_like_formula"]}
    assert done.rows.get(number=5).data["city"] == "12"


# --- dry run -----------------------------------------------------------------------------------------------------
def test_dry_run_writes_nothing(distributor):
    before = everything()
    checked = check(distributor, csv_file(people(20)))
    assert checked.state == ImportState.CHECKED
    assert counts(checked) == {"created": 20}
    assert (checked.report["new_resellers"], checked.report["new_contacts"]) == (5, 20)
    assert everything() == before


def test_dry_run_looks_the_same_whether_others_know_the_people_or_not(distributor, other_distributor):
    def seen(network_import):
        fields = ("number", "outcome", "cells", "data", "changes", "problems", "notes", "email", "company", "is_leader")
        return network_import.report, list(network_import.rows.order_by("number").values_list(*fields))

    content = csv_file(people(20))
    unknown = seen(check(distributor, content))
    run(other_distributor, content)
    address = Address.objects.get(email="p0@r0.example")
    consent.suppress(address.email, "sender", "unsubscribed", sender=other_distributor)
    consent.suppress(address.email, "global", "complained")
    assert seen(check(distributor, content)) == unknown


def test_second_import_of_the_same_file_changes_nothing(distributor):
    content = csv_file(people(50))
    run(distributor, content)
    before = everything()
    again = run(distributor, content)
    assert counts(again) == {"unchanged": 50}
    assert everything() == before


def test_changes_say_from_what_to_what(distributor):
    run(distributor, csv_file(people(4)))
    rows = [list(row) for row in people(4)]
    for row in rows:
        row[2] = "Bremen"
    rows[1][4], rows[1][5] = "Petra Neu", "Geschäftsführerin"
    rows[2][6] = ""  # an empty cell erases nothing
    checked = check(distributor, csv_file(rows))
    assert counts(checked) == {"changed": 2, "unchanged": 2}
    changes = {row.number: row.changes for row in checked.rows.exclude(changes=[])}
    assert changes == {
        2: [["city", "Hamburg", "Bremen"]],
        3: [["name", "Person 1", "Petra Neu"], ["function", "sales", "owner"]],
    }
    steps.confirm(checked, by=None)
    steps.work(checked.pk)
    assert NetworkLink.objects.get(upstream=distributor).city == "Bremen"
    assert Contact.objects.get(address__email="p1@r0.example").name == "Petra Neu"
    assert Contact.objects.get(address__email="p2@r0.example").language == "de"


def test_customer_number_finds_a_renamed_reseller(distributor):
    headers = ("Company", "Country", "Customer number")
    run(distributor, csv_file([("Old Name GmbH", "DE", "4711")], headers=headers))
    done = run(distributor, csv_file([("New Name GmbH", "DE", "4711")], headers=headers))
    assert counts(done) == {"changed": 1}
    link = NetworkLink.objects.get(upstream=distributor)
    assert (link.display_name, link.downstream.name) == ("New Name GmbH", "Old Name GmbH")


def test_two_companies_of_one_name_stay_two(distributor):
    rows = [
        ("Rädel", "DE", "Ulm", "a@raedel-ulm.example", "A", "sales", "de"),
        ("Rädel", "DE", "Kiel", "b@raedel-kiel.example", "B", "sales", "de"),
        ("RÄDEL GmbH", "DE", "Ulm", "c@raedel-ulm.example", "C", "sales", "de"),
    ]
    done = run(distributor, csv_file(rows))
    assert (counts(done), done.report["new_resellers"]) == ({"created": 3}, 2)
    assert notes(done) == {4: ["differs"]}
    assert counts(run(distributor, csv_file(rows))) == {"unchanged": 3}


def test_row_that_fits_two_resellers_is_refused_until_it_has_a_customer_number(distributor):
    headers = ("Company", "Country", "Customer number")
    run(distributor, csv_file([("Müller", "DE", "1"), ("Müller", "DE", "2")], headers=headers))
    done = check(distributor, csv_file([("Müller", "DE", ""), ("Müller", "DE", "2")], headers=headers))
    assert refusals(done)[2] == [": ambiguous_company"]


def test_values_that_differ_between_rows_of_a_company_are_told(distributor):
    rows = [list(row) for row in people(2)]
    rows[1][2] = "Bremen"
    done = check(distributor, csv_file(rows))
    assert notes(done) == {3: ["differs"]}
    assert counts(done) == {"created": 2}


def test_country_of_rows_without_one_is_the_chosen_one(distributor):
    rows = [("Alpha", "a@alpha.example")]
    content = csv_file(rows, headers=("Company", "E-mail"))
    assert refusals(check(distributor, content)) == {2: [": no_country"]}
    run(distributor, content, default_country="FR")
    assert NetworkLink.objects.get(upstream=distributor).downstream.country == "FR"


# --- consent -----------------------------------------------------------------------------------------------------
def test_basis_is_recorded_for_every_person_and_an_earlier_one_stands(distributor):
    run(distributor, csv_file(people(4)), basis=ConsentBasis.CONTRACT, basis_source="contracts 2026")
    run(distributor, csv_file(people(8)), basis=ConsentBasis.CUSTOMER)
    found = Consent.objects.filter(sender=distributor).order_by("address__email").values_list("basis", flat=True)
    assert list(found) == ["contract"] * 4 + ["customer"] * 4
    assert Consent.objects.first().source == "network.csv · contracts 2026"


def test_suppressed_people_stay_suppressed_and_their_own_sender_is_told(distributor, other_distributor):
    run(distributor, csv_file(people(4)))
    consent.suppress("p1@r0.example", "sender", "unsubscribed", sender=distributor)
    consent.suppress("p2@r0.example", "sender", "unsubscribed", sender=other_distributor)
    Contact.objects.all().delete()
    done = run(distributor, csv_file(people(4)))
    assert notes(done) == {3: ["unsubscribed"]}
    assert Suppression.objects.count() == 2
    address = Address.objects.get(email="p1@r0.example")
    assert consent.why_not_mailable(address, distributor) == "unsubscribed"


# --- organizations -----------------------------------------------------------------------------------------------
def test_the_same_reseller_in_two_networks_is_one_organization_with_two_views(distributor, other_distributor):
    run(distributor, csv_file([("Meyer IT GmbH", "DE", "Ulm", "a@meyer.example", "A", "sales", "de")]))
    run(other_distributor, csv_file([("MEYER IT", "DE", "Neu-Ulm", "b@meyer.example", "B", "sales", "de")]))
    reseller = Organization.objects.get(kind=OrganizationKind.RESELLER)
    links = NetworkLink.objects.filter(downstream=reseller).order_by("pk")
    assert [(link.upstream, link.display_name, link.city) for link in links] == [
        (distributor, "Meyer IT GmbH", "Ulm"),
        (other_distributor, "MEYER IT", "Neu-Ulm"),
    ]
    assert reseller.name == "Meyer IT GmbH"
    assert not OrganizationDoubt.objects.exists()


def test_a_doubt_is_the_vendors_to_decide(distributor, other_distributor):
    run(distributor, csv_file([("Meyer IT GmbH", "DE", "Ulm", "a@meyer.example", "A", "sales", "de")]))
    run(other_distributor, csv_file([("Meyer IT", "DE", "Ulm", "meyer@gmail.com", "A", "sales", "de")]))
    run(other_distributor, csv_file([("Meyer Holding", "DE", "Ulm", "c@meyer.example", "C", "sales", "de")]))
    assert Organization.objects.resellers().count() == 3
    doubts = OrganizationDoubt.objects.order_by("pk").values_list("first__name", "second__name", "reason")
    assert list(doubts) == [
        ("Meyer IT GmbH", "Meyer IT", "same_name"),
        ("Meyer IT GmbH", "Meyer Holding", "same_domain"),
    ]


def test_ended_and_paused_relations_are_not_revived(distributor):
    run(distributor, csv_file(people(2, company=1)))
    first, second = NetworkLink.objects.filter(upstream=distributor).order_by("pk")
    NetworkLink.objects.filter(pk=first.pk).update(status=LinkStatus.ENDED)
    NetworkLink.objects.filter(pk=second.pk).update(status=LinkStatus.PAUSED)
    done = run(distributor, csv_file(people(2, company=1)))
    assert counts(done) == {"unchanged": 2}
    assert notes(done) == {2: ["link_ended"], 3: ["link_paused"]}


# --- who and when ------------------------------------------------------------------------------------------------
def test_only_managers_of_a_distributor_import(distributor, distributor_member, stranger, reseller):
    for by in (distributor_member, stranger):
        with pytest.raises(NotAllowed):
            upload(distributor, csv_file(people(1)), by=by)
    with pytest.raises(NotAllowed):
        upload(reseller, csv_file(people(1)))
    assert not NetworkImport.objects.exists()


def test_of_two_people_who_confirm_at_once_one_import_runs(distributor):
    checked = check(distributor, csv_file(people(8)))
    same = NetworkImport.objects.get(pk=checked.pk)
    steps.confirm(checked, by=None)
    with pytest.raises(steps.NotNow):
        steps.confirm(same, by=None)
    steps.work(checked.pk)
    steps.work(checked.pk)
    assert Contact.objects.count() == 8


def test_two_uploads_of_one_file_confirmed_one_after_the_other_write_once(distributor):
    first, second = (check(distributor, csv_file(people(8))) for _ in range(2))
    for checked in (first, second):
        steps.confirm(checked, by=None)
        steps.work(checked.pk)
        checked.refresh_from_db()
    assert Contact.objects.count() == 8
    assert counts(first) == {"created": 8}
    assert counts(second) == {"unchanged": 8}


def test_worker_killed_while_writing_goes_on_where_it_stood(distributor, monkeypatch):
    checked = check(distributor, csv_file(people(900)))
    steps.confirm(checked, by=None)
    real, calls = writing.apply, []

    def dies_in_the_second_chunk(*args):
        calls.append(1)
        real(*args)
        if len(calls) == 2:
            raise SystemExit

    monkeypatch.setattr(writing, "apply", dies_in_the_second_chunk)
    with pytest.raises(SystemExit):
        steps.work(checked.pk)
    checked.refresh_from_db()
    assert (checked.state, checked.rows_done) == (ImportState.RUNNING, 301)
    assert Contact.objects.count() == 300
    steps.work(checked.pk)  # its lease has not run out: nobody may write
    assert Contact.objects.count() == 300
    NetworkImport.objects.update(lease_until=None)
    assert steps.unattended() == [checked.pk]
    steps.work(checked.pk)
    checked.refresh_from_db()
    assert checked.state == ImportState.DONE
    assert Contact.objects.count() == 900
    assert checked.report["written"]["new_contacts"] == 900
    assert steps.unattended() == []


def test_worker_that_lost_its_lease_writes_nothing(distributor):
    checked = check(distributor, csv_file(people(8)))
    steps.confirm(checked, by=None)
    late = leases.claim(checked.pk)
    NetworkImport.objects.update(lease_epoch=9)
    with pytest.raises(leases.LeaseLost):
        writing.write(late)
    assert not Contact.objects.exists()


def test_worker_of_an_earlier_check_is_fenced_from_a_later_one(distributor):
    checked = check(distributor, csv_file(people(4)))
    NetworkImport.objects.filter(pk=checked.pk).update(state=ImportState.CHECKING)
    stale = leases.claim(checked.pk)
    NetworkImport.objects.filter(pk=checked.pk).update(state=ImportState.CHECKED)
    checked.refresh_from_db()
    steps.map_columns(checked, checked.columns, basis="contract", by=None)
    assert leases.claim(checked.pk).lease_epoch > stale.lease_epoch
    with pytest.raises(leases.LeaseLost):
        leases.keep(stale, rows_done=1)


def test_import_that_keeps_dying_fails_with_a_reason(distributor):
    checked = check(distributor, csv_file(people(8)))
    steps.confirm(checked, by=None)
    NetworkImport.objects.update(lease_epoch=leases.MAX_ATTEMPTS)
    steps.work(checked.pk)
    checked.refresh_from_db()
    assert checked.state == ImportState.FAILED
    assert "upload the file again" in checked.error


def test_discarded_import_leaves_nothing(distributor):
    checked = check(distributor, csv_file(people(8)))
    steps.discard(checked, by=None)
    checked.refresh_from_db()
    assert (checked.state, bool(checked.file), checked.rows.count()) == (ImportState.DISCARDED, False, 0)
    with pytest.raises(steps.NotNow):
        steps.confirm(checked, by=None)


def test_mapping_is_remembered_for_the_same_headers_in_any_order(distributor, other_distributor):
    headers = ("Alpha", "Beta", "Gamma")
    rows = [("Meyer", "DE", "a@meyer.example")]
    first = upload(distributor, csv_file(rows, headers=headers))
    assert first.columns == {}
    mapping = {"Alpha": "company", "Beta": "country", "Gamma": "email"}
    steps.map_columns(first, mapping, basis="contract", by=None)
    turned = csv_file([row[::-1] for row in rows], headers=headers[::-1])
    assert upload(distributor, turned).columns == mapping
    assert upload(other_distributor, turned).columns == {}
    assert ColumnMapping.objects.get().owner == distributor


# --- what was refused --------------------------------------------------------------------------------------------
def test_refused_rows_come_back_as_the_same_type_with_reasons(distributor):
    checked = check(distributor, (FILES / "broken.csv").read_bytes(), "netz.csv")
    content, name = steps.refused_file(checked)
    lines = content.decode("utf-8-sig").splitlines()
    assert name == "netz-refused.csv"
    assert lines[0] == "Company,Country,E-mail,Name,Function,Language,Row in your file,Why it was refused"
    assert lines[1].startswith('"\'=HYPERLINK(""http://evil.example"",""x"")",GB,formula@bk.example,\'=1+1,')
    assert lines[1].endswith("could run as a formula.")


def test_refused_rows_can_be_mended_and_imported(distributor):
    rows = [("Meyer", "Atlantis", "Ulm", "a@meyer.example", "A", "sales", "de"), *people(2)]
    done = run(distributor, xlsx_file(rows), "netz.xlsx")
    content, name = steps.refused_file(done)
    assert name == "netz-refused.xlsx"
    again = check(distributor, content, name)
    assert refusals(again) == {2: ["Country: unknown_country"]}


# --- forgetting --------------------------------------------------------------------------------------------------
def test_file_goes_when_it_is_imported_and_rows_after_the_retention(distributor):
    done = run(distributor, csv_file(people(4)))
    assert not done.file
    assert done.rows.count() == 4
    assert steps.purge() == 0
    NetworkImport.objects.update(created_at="2026-01-01T00:00Z")
    assert steps.purge() == 1
    done.refresh_from_db()
    assert (done.rows.count(), done.format["sample"], done.report["created"]) == (0, [], 4)


def test_one_person_is_forgotten_in_every_import(distributor, other_distributor):
    run(distributor, csv_file(people(4)))
    check(other_distributor, csv_file([("X", "Atlantis", "", "p1@r0.example", "P", "", ""), *people(2)]))
    person = Address.objects.get(email="p1@r0.example").person
    assert len(accounts_people.export(person)["rows_of_imported_files"]) == 2
    accounts_people.erase(person, by=None)
    assert not ImportRow.objects.filter(cells__icontains="p1@r0.example").exists()


def test_large_files_are_checked_and_written_with_few_queries(distributor, django_assert_max_num_queries):
    content = csv_file(people(1500))
    uploaded = upload(distributor, content)
    steps.map_columns(uploaded, uploaded.columns, basis="contract", by=None)
    with django_assert_max_num_queries(140):
        steps.work(uploaded.pk)
    uploaded.refresh_from_db()
    steps.confirm(uploaded, by=None)
    with django_assert_max_num_queries(340):
        steps.work(uploaded.pk)
    assert Contact.objects.count() == 1500
