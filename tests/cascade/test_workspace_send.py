"""Review and send: what stops it, when it leaves, undo, and who may."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.enums import LinkStatus
from accounts.models import AuditEvent, NetworkLink
from cascade import waves
from cascade.audience import Audience
from cascade.enums import CascadeState, WaveKind, WaveState
from cascade.models import OutboxMessage, Wave
from tests.factories.accounts import ContactFactory
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, HopFactory


@pytest.fixture
def hop(distributor):
    hop = HopFactory(organization=distributor, cascade=CascadeFactory(page=AnnouncementPageFactory()), accepted=True)
    ContactFactory(owner=distributor, name="Anja", email="anja@alpen.example")
    return hop


@pytest.fixture
def manager(client, distributor_manager):
    client.force_login(distributor_manager)
    return client


def url(hop, rest=""):
    return f"/workspace/{hop.pk}/send/{rest}"


def form(**fields):
    return {"send_key": str(uuid.uuid4()), "people": 1, "how": "now", **fields}


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_review_repeats_the_numbers_on_the_button(manager, hop):
    page = words(manager.get(url(hop)))
    assert "Send to 1 person at 1 reseller" in page
    assert "Time in Europe/Berlin (UTC" in page


def test_send_waits_ten_seconds_and_can_be_undone(manager, hop):
    assert manager.post(url(hop), form()).url == f"/workspace/{hop.pk}/results/"
    wave = hop.waves.get()
    assert wave.state == WaveState.SCHEDULED
    assert timedelta(seconds=8) < wave.undo_until - timezone.now() <= timedelta(seconds=10)
    page = words(manager.get(f"/workspace/{hop.pk}/results/"))
    assert "Undo" in page
    assert "Nothing has left yet." in page
    assert manager.post(f"/workspace/{hop.pk}/waves/{wave.pk}/undo/").url == url(hop)
    wave.refresh_from_db()
    assert (wave.state, wave.deliveries.count()) == (WaveState.CANCELLED, 0)


def test_undo_too_late_says_so(manager, hop):
    manager.post(url(hop), form())
    waves.freeze_due(timezone.now() + timedelta(seconds=11))
    wave = hop.waves.get()
    page = words(manager.post(f"/workspace/{hop.pk}/waves/{wave.pk}/undo/", follow=True))
    assert "too late to undo" in page
    wave.refresh_from_db()
    assert wave.state == WaveState.FROZEN


def test_a_double_submit_is_one_sending(manager, hop):
    data = form()
    manager.post(url(hop), data)
    manager.post(url(hop), data)
    assert Wave.objects.count() == 1


def test_numbers_that_changed_since_the_page_was_opened_are_shown_again(manager, hop, distributor):
    ContactFactory(owner=distributor)
    page = words(manager.post(url(hop), form(people=1), follow=True))
    assert "changed to 2 people" in page
    assert not Wave.objects.exists()


def test_a_red_check_stops_it(manager, hop, distributor):
    distributor.brand.postal_address = ""
    distributor.brand.save()
    page = words(manager.get(url(hop)))
    assert "1 thing stops it" in page
    assert " disabled" in page
    assert manager.post(url(hop), form()).status_code == 422
    assert not Wave.objects.exists()


def test_nobody_in_the_audience_is_refused_in_words(manager, hop):
    hop.audience = Audience(countries=("FR",)).to_json()
    hop.save()
    response = manager.post(url(hop), form(people=0))
    assert response.status_code == 422
    assert "Nobody in this audience can be mailed." in words(response)


# --- at a set time -----------------------------------------------------------------------------------------------
@time_machine.travel(datetime(2026, 6, 1, 12, 0, tzinfo=UTC), tick=False)
def test_schedule_is_read_in_the_distributors_zone_whatever_the_readers(client, hop, distributor, distributor_manager):
    distributor_manager.person.timezone = "America/New_York"
    distributor_manager.person.save()
    client.force_login(distributor_manager)
    hop.cascade.due_at = timezone.now() + timedelta(days=30)
    hop.cascade.save()
    response = client.post(url(hop), form(how="later", at="2026-06-03T09:00"))
    assert response.url == url(hop)
    assert hop.waves.get().scheduled_at == datetime(2026, 6, 3, 7, 0, tzinfo=UTC)  # Berlin is two hours ahead
    assert "Scheduled for Wed, Jun 3, 09:00" in words(client.get(url(hop)))


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("2020-01-01T09:00", "This time has passed."),
        ("", "Say when."),
        ("2099-01-01T09:00", "Choose a time within a year."),
        ("nonsense", "Enter a valid date/time."),
    ],
)
def test_a_bad_time_is_refused_at_the_field(manager, hop, at, message):
    response = manager.post(url(hop), form(how="later", at=at))
    assert response.status_code == 422
    assert message in words(response)
    assert not Wave.objects.exists()


@time_machine.travel(datetime(2027, 3, 1, 12, 0, tzinfo=UTC), tick=False)
def test_a_time_that_the_clocks_skip_is_refused(client, hop, distributor_manager):
    client.force_login(distributor_manager)
    response = client.post(url(hop), form(how="later", at="2027-03-28T02:30"))
    assert "This time does not exist" in words(response)


def test_a_schedule_can_be_moved_and_cancelled(manager, hop, distributor_manager):
    later = timezone.now() + timedelta(days=2)
    wave = waves.prepare(hop, Audience(), by=distributor_manager)
    waves.schedule(wave, later, distributor_manager)
    page = words(manager.get(url(hop)))
    assert "As of now it goes to 1 person" in page
    assert 'id="send"' not in page
    base = f"/workspace/{hop.pk}/waves/{wave.pk}"
    assert manager.post(f"{base}/time/", {"move-at": "2020-01-01T09:00"}).status_code == 422
    moved = (timezone.now() + timedelta(days=5)).strftime("%Y-%m-%dT09:00")
    manager.post(f"{base}/time/", {"move-at": moved})
    wave.refresh_from_db()
    assert wave.scheduled_at > later
    assert "Nothing has left" in words(manager.get(f"{base}/cancel/"))
    manager.post(f"{base}/cancel/")
    wave.refresh_from_db()
    assert wave.state == WaveState.CANCELLED


def test_a_distributor_paused_while_a_wave_is_scheduled_sends_nothing_and_is_told(manager, hop, distributor_manager):
    wave = waves.prepare(hop, Audience(), by=distributor_manager)
    waves.schedule(wave, timezone.now() + timedelta(hours=1), distributor_manager)
    NetworkLink.objects.filter(downstream=hop.organization).update(status=LinkStatus.PAUSED)
    waves.freeze_due(timezone.now() + timedelta(hours=2))
    page = words(manager.get(f"/workspace/{hop.pk}/results/"))
    assert "cooperation with the vendor is paused" in page
    NetworkLink.objects.filter(downstream=hop.organization).update(status=LinkStatus.ACTIVE)
    manager.post(f"/workspace/{hop.pk}/waves/{wave.pk}/resume/")
    wave.refresh_from_db()
    assert wave.state == WaveState.SCHEDULED


@pytest.mark.parametrize("state", [CascadeState.CLOSED, CascadeState.RECALLED])
def test_a_closed_or_recalled_item_offers_no_sending(manager, hop, state):
    hop.cascade.state = state
    hop.cascade.save()
    assert 'id="send"' not in words(manager.get(url(hop)))
    manager.post(url(hop), form())
    assert not Wave.objects.exists()


# --- test mail, roles --------------------------------------------------------------------------------------------
def test_a_test_goes_to_oneself_only_and_is_remembered(manager, hop, distributor, distributor_manager):
    manager.post(url(hop, "test/"))
    assert [message.recipients for message in OutboxMessage.objects.all()] == [[distributor_manager.email]]
    assert AuditEvent.objects.filter(owner=distributor, name="hop.tested").exists()
    assert not Wave.objects.exists()


def test_members_neither_send_nor_test(client, hop, distributor_member):
    client.force_login(distributor_member)
    assert 'id="send"' not in words(client.get(url(hop)))
    assert client.post(url(hop), form()).status_code == 403
    assert client.post(url(hop, "test/")).status_code == 403
    assert not Wave.objects.exists()


def test_a_wave_of_another_hop_is_not_found(manager, hop, distributor, distributor_manager):
    other = HopFactory(organization=distributor, cascade=CascadeFactory(), accepted=True)
    wave = waves.prepare(other, Audience(), by=distributor_manager)
    assert manager.post(f"/workspace/{hop.pk}/waves/{wave.pk}/cancel/").status_code == 404


def test_a_second_sending_takes_only_those_who_came_later(manager, hop, distributor, distributor_manager):
    manager.post(url(hop), form())
    waves.freeze_due(timezone.now() + timedelta(seconds=11))
    hop.waves.update(state=WaveState.DONE)
    hop.waves.get().deliveries.update(state="sent")
    ContactFactory(owner=distributor, email="new@alpen.example")
    assert "new person" in words(manager.get(url(hop)))
    manager.post(url(hop), form(people=1))
    waves.freeze_due(timezone.now() + timedelta(seconds=11))
    second = hop.waves.first()
    assert second.kind == WaveKind.LATE_JOINERS
    assert [row.email for row in second.deliveries.all()] == ["new@alpen.example"]
