"""The checks before anything leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import LinkStatus, Role
from accounts.models import NetworkLink
from cascade import preflight, waves
from cascade.audience import Audience
from cascade.enums import CascadeState, HopState, WaveState
from cascade.preflight import Level
from cms import adaptation
from cms.models import Adaptation, ZoneEdit
from tests.factories.accounts import BrandFactory, ContactFactory, member
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, HopFactory
from tests.factories.cms import block, open_block, republish


@pytest.fixture
def body():
    return [block("heading", "New prices"), open_block("rich_text", "<p>Call us.</p>", key="local", max_length=40)]


@pytest.fixture
def page(db, body):
    return AnnouncementPageFactory(body=body, subject="New prices", preview_text="From April")


@pytest.fixture
def hop(distributor, page):
    hop = HopFactory(organization=distributor, cascade=CascadeFactory(page=page), accepted=True)
    ContactFactory(owner=distributor)
    return hop


@pytest.fixture
def write(hop, page, distributor_manager):
    """Write the open zone as the distributor."""

    def write(html: str, key: str = "local") -> None:
        adaptation.save_edit(page, hop.organization, page.locale, key, html, by=distributor_manager, version=0)

    return write


def texts(hop, level=Level.RED, audience=None) -> list[str]:
    report = preflight.check(hop, audience or Audience())
    return [found.text for found in report.checks if found.level == level]


def test_a_complete_item_has_nothing_red_and_counts_its_people(hop):
    report = preflight.check(hop, Audience())
    assert report.red == []
    assert (report.counts.people, report.counts.resellers) == (1, 1)
    assert any("1 person at 1 reseller" in text for text in texts(hop, Level.OK))


def test_nothing_leaves_before_somebody_accepts(hop):
    hop.state = HopState.OFFERED
    assert texts(hop) == ["Nobody has accepted this item yet."]


@pytest.mark.parametrize("state", [CascadeState.CLOSED, CascadeState.RECALLED])
def test_a_cascade_that_is_not_open_stops_it(hop, state):
    hop.cascade.state = state
    assert len(texts(hop)) == 1


def test_a_paused_distributor_stops_it(hop):
    NetworkLink.objects.filter(downstream=hop.organization).update(status=LinkStatus.PAUSED)
    assert "is paused" in texts(hop)[0]


def test_a_required_zone_must_be_filled_and_the_fix_leads_to_it(hop, page, body):
    body.append(open_block("rich_text", "", key="must", presence="required"))
    republish(page, body=body)
    report = preflight.check(hop, Audience())
    assert [found.text for found in report.red] == ["“Text” must be filled."]
    assert report.red[0].fix_url == f"/workspace/{hop.pk}/adapt/?language=en#zone-5"


def test_a_text_that_the_vendor_made_too_long_is_red(hop, page, body, write):
    write("<p>Call Anna at our office.</p>")
    body[1]["value"]["max_length"] = 10
    republish(page, body=body)
    assert "characters too long" in texts(hop)[0]


def test_a_conflict_is_amber_because_the_own_text_stands(hop, page, body, write):
    write("<p>Call Anna.</p>")
    body[1]["value"]["content"] = "<p>Call the hotline.</p>"
    republish(page, body=body)
    assert texts(hop) == []
    assert "changed 1 part after you did" in texts(hop, Level.AMBER)[0]


def test_links_without_https_are_amber_and_links_to_nowhere_red(hop, page, write):
    write('<p><a href="http://old.example/x">here</a></p>')
    assert any("without https" in text for text in texts(hop, Level.AMBER))
    edit = ZoneEdit.objects.get()
    edit.value = '<p><a href="javascript:alert(1)">here</a></p>'
    edit.save()
    assert "leads nowhere" in texts(hop)[0]


def test_subject_and_preview_text_are_looked_at(hop, page):
    republish(page, subject="s" * 70, preview_text="", summary="")
    amber = texts(hop, Level.AMBER)
    assert any("The subject has 70 characters" in text for text in amber)
    assert any("no preview text" in text for text in amber)


def test_a_brand_needs_postal_address_and_reply_to(hop):
    brand = hop.organization.brand
    brand.postal_address, brand.reply_to = " ", ""
    brand.save()
    assert len(texts(hop)) == 2


def test_an_audience_without_anybody_stops_it(hop):
    assert texts(hop, audience=Audience(countries=("FR",))) == ["Nobody in this audience can be mailed."]


def test_many_who_will_not_get_it_are_worth_a_look(hop):
    ContactFactory(owner=hop.organization, consent=False)
    assert "1 of 2 people will not get it. 1 have no consent on record." in texts(hop, Level.AMBER)


def test_late_sending_is_possible_but_said(hop):
    hop.cascade.pass_on_by = timezone.now() - timedelta(days=1)
    assert any("Sending late is still possible" in text for text in texts(hop, Level.AMBER))
    hop.cascade.due_at = timezone.now() - timedelta(hours=1)
    assert any("due date will have passed" in text for text in texts(hop, Level.AMBER))


def test_checks_run_again_at_the_scheduled_minute(hop, distributor_manager):
    """What was fine when it was scheduled and is not any more is held back with the reason, and goes on when fixed."""
    wave = waves.prepare(hop, Audience(), by=distributor_manager)
    waves.schedule(wave, timezone.now() + timedelta(hours=1), distributor_manager)
    brand = hop.organization.brand
    brand.postal_address = ""
    brand.save()
    waves.freeze_due(timezone.now() + timedelta(hours=2))
    wave.refresh_from_db()
    assert (wave.state, wave.deliveries.count()) == (WaveState.PAUSED, 0)
    assert "postal address" in wave.stopped_because


def test_checks_know_nothing_of_other_distributors(hop, other_distributor, page):
    """Their open conflicts, empty brands and edits are theirs."""
    HopFactory(organization=other_distributor, cascade=hop.cascade)
    BrandFactory(organization=other_distributor)
    theirs = member(other_distributor, Role.MANAGER)
    other_distributor.brand.postal_address = ""
    other_distributor.brand.save()
    Adaptation.objects.create(page=page, organization=other_distributor, locale=page.locale, updated_by=theirs)
    assert texts(hop) == []
