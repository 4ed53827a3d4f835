"""The adapt editor: zones saved one by one or all at once, conflicts, previews."""

from __future__ import annotations

import pytest

from accounts.enums import Role
from accounts.models import AuditEvent
from cascade.enums import HopState
from cms import adaptation
from cms.effective import effective
from cms.models import ZoneEdit
from tests.factories.accounts import ContactFactory, member
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, HopFactory
from tests.factories.cms import block, open_block, republish


@pytest.fixture
def body():
    return [
        block("heading", "New prices", key="head"),
        open_block("rich_text", "<p>Call us.</p>", key="local", max_length=40, guidance="Say who to call."),
        open_block("quote", {"text": "Great.", "attribution": "Jo"}, key="quote", presence="droppable"),
        open_block("button", {"label": "Read", "url": "https://vendor.example/"}, key="button"),
    ]


@pytest.fixture
def page(db, body):
    return AnnouncementPageFactory(body=body, subject="New prices", title="Prices")


@pytest.fixture
def hop(distributor, page):
    return HopFactory(organization=distributor, cascade=CascadeFactory(page=page), accepted=True)


@pytest.fixture
def manager(client, distributor_manager):
    client.force_login(distributor_manager)
    return client


@pytest.fixture
def save(manager, hop):
    """Post one zone as the editor does."""

    def save(zone: str, client=manager, **fields):
        data = {f"{zone}-{name}": value for name, value in fields.items()}
        return client.post(f"/workspace/{hop.pk}/adapt/zone/", {"zone": zone, **data})

    return save


def shown(hop, page):
    return effective(page, hop.organization, page.locale)


def test_editor_shows_zones_in_reading_order_with_locks_and_guidance(manager, hop):
    page = manager.get(f"/workspace/{hop.pk}/adapt/").content.decode()
    assert page.index("E-mail subject") < page.index("New prices") < page.index("Say who to call.")
    assert page.count("Locked") == 2  # title and heading
    assert 'name="local-text"' in page
    assert 'name="head-text"' not in page


def test_saving_a_zone_answers_with_its_new_version_and_what_is_left(save, hop, page):
    answer = save("local", text="<p>Call <b>Anna</b>.</p>", version=0)
    assert answer.status_code == 200
    assert answer.json()["version"] == 1
    assert answer.json()["saved"].startswith("Saved ")
    assert "1 of 5 parts is yours" in answer.json()["bar"]
    assert answer.json()["stale"].strip() == ""
    assert shown(hop, page).zone("local").value == "<p>Call <b>Anna</b>.</p>"
    hop.refresh_from_db()
    assert hop.adapted_at is not None
    assert [event.kind for event in hop.events.all()] == ["adapted"]


def test_a_second_change_is_no_second_news(save, hop):
    save("local", text="<p>One</p>", version=0)
    save("local", text="<p>Two</p>", version=1)
    assert hop.events.count() == 1


def test_a_stale_save_shows_the_colleagues_text_and_writes_nothing(save, hop, page, distributor):
    olga = member(distributor, Role.OWNER, name="Olga Owner")
    adaptation.save_edit(page, distributor, page.locale, "local", "<p>Olga's</p>", by=olga, version=0)
    answer = save("local", text="<p>Mine</p>", version=0)
    assert answer.status_code == 409
    assert "Olga Owner changed this meanwhile" in answer.json()["stale"]
    assert "Olga&#x27;s" in answer.json()["stale"]
    assert shown(hop, page).zone("local").value == "<p>Olga's</p>"
    assert save("local", text="<p>Mine</p>", version=1).status_code == 200


def test_editing_a_locked_zone_is_refused_and_logged(save, manager, hop, page):
    answer = save("head", text="My own prices", version=0)
    assert answer.status_code == 403
    manager.post(f"/workspace/{hop.pk}/adapt/", {"head-text": "My own prices", "head-version": 0})
    assert shown(hop, page).zone("head").value == "New prices"
    refused = AuditEvent.objects.filter(name__contains="refused")
    assert refused.count() == 2
    assert {event.data["zone"] for event in refused} == {"head"}


@pytest.mark.parametrize(
    ("zone", "fields", "words"),
    [
        ("local", {"text": ""}, "must not be empty"),
        ("local", {"text": "<p>" + "x" * 41 + "</p>"}, "1 character too long"),
        ("button", {"label": "Go", "url": "ftp://x"}, "https://"),
        ("field:subject", {"text": "two\nlines"}, "one line"),
        ("gone", {"text": "x"}, "removed this part"),
    ],
)
def test_bad_input_is_refused_in_words_and_nothing_is_written(save, zone, fields, words):
    answer = save(zone, version=0, **fields)
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    assert not ZoneEdit.objects.exists()


def test_a_zone_may_be_left_out_and_taken_in_again(save, hop, page):
    assert save("quote", dropped="on", version=0).json()["is_dropped"]
    assert shown(hop, page).zone("quote").is_dropped
    save("quote", text="Great.", attribution="Jo", version=1)
    assert not shown(hop, page).zone("quote").is_dropped


def test_without_javascript_one_form_saves_only_what_changed(manager, hop, page):
    data = {
        "field:subject-text": "Neue Preise",
        "field:subject-version": 0,
        "local-text": "<p>Call us.</p>",
        "local-version": 0,
        "quote-text": "Great.",
        "quote-attribution": "Jo",
        "quote-version": 0,
        "button-label": "Read",
        "button-url": "https://vendor.example/",
        "button-version": 0,
    }
    assert manager.post(f"/workspace/{hop.pk}/adapt/", data).status_code == 302
    assert list(ZoneEdit.objects.values_list("zone_key", flat=True)) == ["field:subject"]


def test_without_javascript_a_refused_zone_keeps_what_was_typed_and_saves_the_others(manager, hop):
    data = {"field:subject-text": "Neue Preise", "field:subject-version": 0, "local-text": "<p>" + "x" * 50 + "</p>"}
    response = manager.post(f"/workspace/{hop.pk}/adapt/", data)
    assert response.status_code == 422
    assert "x" * 50 in response.content.decode()
    assert "too long" in response.content.decode()
    assert ZoneEdit.objects.filter(zone_key="field:subject").exists()


def test_reset_brings_the_vendors_text_back(save, manager, hop, page):
    save("local", text="<p>Mine</p>", version=0)
    manager.post(f"/workspace/{hop.pk}/adapt/reset/", {"zone": "local", "version": 1})
    assert not ZoneEdit.objects.exists()


@pytest.mark.parametrize(("take", "value"), [("vendor", "<p>Call the hotline.</p>"), ("mine", "<p>Mine</p>")])
def test_a_conflict_is_shown_side_by_side_and_decided(save, manager, hop, page, body, take, value):
    save("local", text="<p>Mine</p>", version=0)
    body[1]["value"]["content"] = "<p>Call the hotline.</p>"
    page = republish(page, body=body)
    editor = manager.get(f"/workspace/{hop.pk}/adapt/").content.decode()
    assert "1 conflict to decide" in editor
    assert "<del>us.</del>" in editor
    assert "Mine" in editor
    manager.post(f"/workspace/{hop.pk}/adapt/resolve/", {"zone": "local", "take": take, "version": 1})
    assert adaptation.conflicts(page, hop.organization, page.locale) == []
    assert shown(hop, page).zone("local").value.replace("\n", "") == value


@pytest.mark.parametrize("state", [HopState.OFFERED, HopState.DECLINED])
def test_nothing_is_editable_before_it_is_accepted(save, manager, hop, state):
    hop.state = state
    hop.save()
    assert 'name="local-text"' not in manager.get(f"/workspace/{hop.pk}/adapt/").content.decode()
    assert save("local", text="<p>Mine</p>", version=0).status_code == 403
    assert not ZoneEdit.objects.exists()


def test_members_read_and_do_not_edit(client, save, hop, distributor_member):
    client.force_login(distributor_member)
    page = client.get(f"/workspace/{hop.pk}/adapt/").content.decode()
    assert "Call us." in page
    assert 'name="local-text"' not in page
    assert save("local", text="<p>Mine</p>", version=0).status_code == 403


# --- preview -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("view", ["mail", "web", "text"])
def test_preview_shows_the_own_words_and_lets_nothing_run(save, manager, hop, view):
    save("local", text="<p>Call Anna today.</p>", version=0)
    response = manager.get(f"/workspace/{hop.pk}/preview/{view}/")
    assert "Call Anna today." in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_preview_as_a_contact_greets_them_and_only_own_contacts_are_offered(manager, hop, distributor, stranger):
    ours = ContactFactory(owner=distributor, name="Rita Reseller")
    theirs = ContactFactory(owner=stranger.memberships.get().organization, name="Fremde Person")
    assert "Hello Rita Reseller" in manager.get(f"/workspace/{hop.pk}/preview/mail/?as={ours.pk}").content.decode()
    page = manager.get(f"/workspace/{hop.pk}/preview/mail/?as={theirs.pk}").content.decode()
    assert "Fremde Person" not in page
    assert "Hello Mara Manager" in page
    assert "Fremde Person" not in manager.get(f"/workspace/{hop.pk}/adapt/").content.decode()


def test_a_name_with_markup_does_no_harm_in_the_preview(manager, hop, distributor):
    contact = ContactFactory(owner=distributor, name="<script>alert(1)</script>")
    page = manager.get(f"/workspace/{hop.pk}/preview/mail/?as={contact.pk}").content.decode()
    assert "<script>alert" not in page


def test_a_recalled_item_is_not_previewed_any_more(manager, hop):
    hop.cascade.state = "recalled"
    hop.cascade.save()
    assert manager.get(f"/workspace/{hop.pk}/preview/mail/").status_code == 404
    assert "recalled" in manager.get(f"/workspace/{hop.pk}/adapt/").content.decode()
