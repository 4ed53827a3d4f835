from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEvent
from accounts.policies import NotAllowed
from cms import adaptation
from cms.adaptation import AdaptationState, LockedZone, StaleEdit, UnknownZone
from cms.effective import effective
from cms.enums import Editable, Presence
from cms.models import Adaptation, ContentPage, ZoneEdit
from tests.factories.cms import block, open_block, republish


@pytest.fixture
def save(page, distributor, distributor_manager):
    """Save one zone of ``page`` as Acme's manager."""

    def save(key, value=None, *, on=None, **kwargs):
        target = on or page
        return adaptation.save_edit(target, distributor, target.locale, key, value, by=distributor_manager, **kwargs)

    return save


def own_text(page: ContentPage, organization, key: str):
    return effective(page, organization, page.locale).zone(key).value


def body_with(page: ContentPage, **changes):
    """The body of ``page`` with other contents for some zones; None leaves a zone out."""
    blocks = []
    for raw in page.body.get_prep_value():
        if raw["id"] not in changes:
            blocks.append(raw)
        elif changes[raw["id"]] is not None:
            blocks.append({**raw, "value": {**raw["value"], **changes[raw["id"]]}})
    return blocks


def test_save_edit_of_open_zone_shows_to_own_organization_only(page, save, distributor, other_distributor):
    save("offer", "<p>Ask Acme.</p>")

    assert own_text(page, distributor, "offer") == "<p>Ask Acme.</p>"
    assert own_text(page, other_distributor, "offer") == "<p>Ask your distributor.</p>"
    assert own_text(page, None, "offer") == "<p>Ask your distributor.</p>"


def test_save_edit_of_locked_zone_is_refused_and_logged(page, save, distributor, distributor_manager):
    with pytest.raises(LockedZone):
        save("lead", "Sell less")

    assert ZoneEdit.objects.count() == 0
    event = AuditEvent.objects.get(name="zone.refused")
    assert (event.owner, event.actor, event.data["zone"], event.data["reason"]) == (
        distributor,
        distributor_manager,
        "lead",
        "locked",
    )


def test_dropping_is_for_droppable_zones_only(page, save, distributor):
    save("extra", dropped=True)
    with pytest.raises(LockedZone):
        save("offer", dropped=True)

    shown = effective(page, distributor, page.locale)
    assert shown.zone("extra").is_dropped
    assert [child.id for child in shown.body] == ["lead", "offer", "contact"]


def test_save_edit_by_stranger_or_plain_member_is_refused(
    page, distributor, stranger, distributor_member, reseller_member
):
    for person in (stranger, distributor_member, reseller_member):
        with pytest.raises(NotAllowed):
            adaptation.save_edit(page, distributor, page.locale, "offer", "<p>Mine.</p>", by=person)

    assert Adaptation.objects.count() == 0


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("offer", "<p>" + "x" * 41 + "</p>", "overlong"),
        ("offer", "<p> </p>", "required"),
        ("contact", "", "required"),
        ("offer", '<p><a href="javascript:alert(1)">x</a></p>', "url"),
        ("offer", '<p><a href="//evil.example">x</a></p>', "url"),
        ("offer", '<p><a href="/admin/">x</a></p>', "url"),
        ("offer", '<p><a href="data:text/html,x">x</a></p>', "url"),
        ("field:subject", "Hello\r\nBcc: all@example.com", "control"),
        ("field:subject", "Hello\x00", "control"),
        ("field:subject", "x" * 121, "overlong"),
        ("field:subject", "   ", "required"),
        ("offer", {"no": "text"}, "invalid"),
        ("extra", "no quote", "invalid"),
    ],
)
def test_save_edit_of_bad_value_is_refused_at_the_field(page, save, key, value, code):
    with pytest.raises(ValidationError) as refused:
        save(key, value)

    assert refused.value.code == code
    assert ZoneEdit.objects.count() == 0


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("<p>Hi<script>alert(1)</script></p>", "<p>Hi</p>"),
        ('<p onclick="x()">Hi <b style="color:red">you</b></p>', "<p>Hi <b>you</b></p>"),
        ('<p><img src=x onerror="alert(1)">Hi</p>', "<p>Hi</p>"),
        ("<h1>Hi</h1>", "Hi"),
        ('<embed embedtype="image" id="7">Hi', "Hi"),
        ("<p>a &lt;b&gt; &amp; c</p>", "<p>a &lt;b&gt; &amp; c</p>"),
        ('<p><a href="https://a.example/?x=1&amp;y=2" onclick="x">Go</a></p>', None),
        ('<p><a linktype="page" id="3">Secret</a></p>', "<p>Secret</p>"),
        ("<ul><li>One</li></ul><!-- x -->", "<ul><li>One</li></ul>"),
    ],
)
def test_save_edit_keeps_only_what_the_zone_allows(page, save, written, stored):
    edit = save("offer", written)

    assert edit.value == (stored or '<p><a href="https://a.example/?x=1&amp;y=2">Go</a></p>')


def test_save_edit_keeps_links_inside_the_portal_that_the_vendor_made(page, save):
    link = '<p><a linktype="page" id="3">Terms</a> apply</p>'
    page = republish(page, body=body_with(page, offer={"content": link}))

    edit = save("offer", link.replace("apply", "hold"), on=page)

    assert edit.value == '<p><a linktype="page" id="3">Terms</a> hold</p>'


def test_stale_save_says_who_changed_what_and_overwrites_nothing(
    page, distributor, distributor_owner, distributor_manager
):
    first = adaptation.save_edit(page, distributor, page.locale, "offer", "<p>One</p>", by=distributor_owner, version=0)

    with pytest.raises(StaleEdit) as refused:
        adaptation.save_edit(page, distributor, page.locale, "offer", "<p>Two</p>", by=distributor_manager, version=0)

    assert refused.value.by == distributor_owner
    assert refused.value.at == first.edited_at
    assert "Olga Owner" in str(refused.value)
    assert own_text(page, distributor, "offer") == "<p>One</p>"


def test_save_edit_counts_versions_and_accepts_the_one_seen(page, save):
    first = save("offer", "<p>One</p>")
    second = save("offer", "<p>Two</p>", version=first.version)

    assert (first.version, second.version) == (1, 2)
    assert ZoneEdit.objects.get().value == "<p>Two</p>"


def test_edit_equal_to_the_vendors_text_is_no_difference(page, save, distributor):
    edit = save("offer", "<p>One</p>")
    back = save("offer", "<p>Ask your distributor.</p>", version=edit.version)

    assert (back.pk, back.version) == (None, 0)
    assert not effective(page, distributor, page.locale).is_adapted


def test_reset_edit_goes_back_and_twice_changes_nothing(page, save, distributor, distributor_manager):
    edit = save("offer", "<p>One</p>")
    for _time in range(2):
        adaptation.reset_edit(page, distributor, page.locale, "offer", by=distributor_manager, version=edit.version)

    assert own_text(page, distributor, "offer") == "<p>Ask your distributor.</p>"


def test_missing_required_names_zones_to_fill_until_they_are(page, save, distributor):
    before = [zone.key for zone in adaptation.missing_required(page, distributor, page.locale)]
    save("contact", "<p>Call Mara.</p>")

    assert before == ["contact"]
    assert adaptation.missing_required(page, distributor, page.locale) == []


# --- the vendor changes the page ------------------------------------------------------------------------------------


def test_changed_locked_zone_shows_at_once_and_is_no_conflict(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page = republish(page, body=body_with(page, lead={"content": "Recall notice"}))

    assert own_text(page, distributor, "lead") == "Recall notice"
    assert own_text(page, distributor, "offer") == "<p>Mine</p>"
    assert adaptation.status(page, distributor, page.locale).state == AdaptationState.CURRENT


def test_zone_that_becomes_locked_shows_the_vendors_text_at_once(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page = republish(page, body=body_with(page, offer={"editable": Editable.LOCKED}))

    assert own_text(page, distributor, "offer") == "<p>Ask your distributor.</p>"
    assert adaptation.conflicts(page, distributor, page.locale) == []


def test_changed_adapted_zone_is_a_conflict_with_all_three_sides(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page = republish(page, body=body_with(page, offer={"content": "<p>Vendor two</p>"}))

    [conflict] = adaptation.conflicts(page, distributor, page.locale)

    assert (conflict.was, conflict.theirs, conflict.mine) == (
        "<p>Ask your distributor.</p>",
        "<p>Vendor two</p>",
        "<p>Mine</p>",
    )
    assert own_text(page, distributor, "offer") == "<p>Mine</p>"
    status = adaptation.status(page, distributor, page.locale)
    assert (status.state, status.own, status.conflicts) == (AdaptationState.BEHIND, 1, 1)


@pytest.mark.parametrize(("take", "text"), [("vendor", "<p>Vendor two</p>"), ("mine", "<p>Mine</p>")])
def test_resolved_conflict_is_gone_and_shows_what_was_taken(page, save, distributor, distributor_manager, take, text):
    save("offer", "<p>Mine</p>")
    page = republish(page, body=body_with(page, offer={"content": "<p>Vendor two</p>"}))

    for _time in range(2):
        adaptation.resolve_conflict(page, distributor, page.locale, "offer", take=take, by=distributor_manager)

    assert own_text(page, distributor, "offer") == text
    assert adaptation.conflicts(page, distributor, page.locale) == []
    assert adaptation.status(page, distributor, page.locale).state == AdaptationState.CURRENT


def test_conflict_on_a_field_shows_what_the_subject_was(page, save, distributor):
    save("field:subject", "Acme: new firewall")
    page = republish(page, subject="Firewall 2")

    [conflict] = adaptation.conflicts(page, distributor, page.locale)

    assert (conflict.was, conflict.theirs, conflict.mine) == (
        "Meet the new firewall",
        "Firewall 2",
        "Acme: new firewall",
    )


def test_vendor_who_comes_to_the_same_text_makes_no_conflict(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page = republish(page, body=body_with(page, offer={"content": "<p>Mine</p>"}))

    assert adaptation.conflicts(page, distributor, page.locale) == []
    assert not effective(page, distributor, page.locale).is_adapted


def test_edit_of_a_vanished_zone_becomes_history_and_returns_with_it(page, save, distributor):
    save("offer", "<p>Mine</p>")
    whole = page.body.get_prep_value()
    page = republish(page, body=body_with(page, offer=None))

    [kept] = adaptation.archived_edits(page, distributor, page.locale)
    assert kept.value == "<p>Mine</p>"
    assert adaptation.status(page, distributor, page.locale).archived == 1
    with pytest.raises(UnknownZone):
        save("offer", "<p>More</p>", on=page)

    page = republish(page, body=whole)
    assert own_text(page, distributor, "offer") == "<p>Mine</p>"
    assert adaptation.archived_edits(page, distributor, page.locale) == []


def test_draft_of_the_vendor_reaches_nobody(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page.title = "Draft title"
    page.save_revision()
    page = ContentPage.objects.get(pk=page.pk)

    assert effective(page, distributor, page.locale).title == "New firewall"
    assert adaptation.conflicts(page, distributor, page.locale) == []


def test_block_policies_of_a_tampered_presence_are_the_vendors(page, save, distributor):
    """A zone that stops being droppable is back at once."""
    save("extra", dropped=True)
    page = republish(page, body=body_with(page, extra={"presence": Presence.ALWAYS}))

    assert not effective(page, distributor, page.locale).zone("extra").is_dropped


def test_new_block_is_part_of_every_adaptation(page, save, distributor):
    save("offer", "<p>Mine</p>")
    page = republish(
        page, body=[*page.body.get_prep_value(), block("heading", "New", key="new"), open_block("heading", "Two")]
    )

    assert own_text(page, distributor, "new") == "New"
