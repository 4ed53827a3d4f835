import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import LinkStatus
from accounts.models import NetworkLink, OrganizationHost
from accounts.policies import NotAllowed
from cascade import counters, engine, waves
from cascade.audience import Audience
from cascade.enums import CascadeState, DeliveryState, HopState, LedgerKind, OutboxState, WaveKind, WaveState
from cascade.freeze import freeze
from cascade.hops import NotPossible
from cascade.models import Cascade, Hop, LedgerEvent, OutboxMessage, Wave
from tests.cascade.sending import assert_sums, make_hop, make_wave, people, send_all, states
from tests.cascade.smtp_server import FaultySMTPServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def hop(distributor) -> Hop:
    return make_hop(organization=distributor, count=3)


def let_time_pass(wave: Wave) -> None:
    Wave.objects.filter(pk=wave.pk).update(scheduled_at=timezone.now(), undo_until=timezone.now())


def test_send_now_waits_ten_seconds_and_then_leaves(hop, distributor_manager):
    wave = waves.send_now(hop, Audience(), distributor_manager)
    assert wave.scheduled_at == wave.undo_until >= wave.created_at + timedelta(seconds=waves.UNDO_SECONDS)
    assert waves.freeze_due(now=wave.undo_until - timedelta(seconds=1)) == 0

    let_time_pass(wave)
    with FaultySMTPServer() as server:
        assert send_all(server) == 3

    assert LedgerEvent.objects.filter(hop=hop, kind=LedgerKind.SCHEDULED, actor=distributor_manager).count() == 1


def test_send_now_submitted_twice_is_one_wave(hop, distributor_manager):
    key = uuid.uuid4()

    first = waves.send_now(hop, Audience(), distributor_manager, send_key=key)
    second = waves.send_now(hop, Audience(), distributor_manager, send_key=key)

    assert first.pk == second.pk
    assert Wave.objects.count() == 1


def test_undo_within_ten_seconds_sends_nothing(hop, distributor_manager):
    wave = waves.undo(waves.send_now(hop, Audience(), distributor_manager), distributor_manager)
    let_time_pass(wave)

    with FaultySMTPServer() as server:
        send_all(server)

    wave.refresh_from_db()
    assert wave.state == WaveState.CANCELLED
    assert server.received == []
    assert wave.deliveries.count() == 0


def test_undo_after_the_freeze_is_refused(hop, distributor_manager):
    wave = waves.send_now(hop, Audience(), distributor_manager)
    let_time_pass(wave)
    engine.sweep()

    with pytest.raises(NotPossible):
        waves.undo(wave, distributor_manager)


def test_send_now_to_nobody_is_refused(hop, distributor_manager):
    with pytest.raises(NotPossible, match="Nobody"):
        waves.send_now(hop, Audience(countries=("XX",)), distributor_manager)

    assert not Wave.objects.exists()


@pytest.mark.parametrize(
    "verb",
    [
        lambda hop, user: waves.send_now(hop, Audience(), user),
        lambda hop, user: waves.prepare(hop, Audience(), by=user),
        lambda hop, user: waves.remind(hop, user),
        lambda hop, user: waves.send_test(hop, user),
    ],
)
def test_stranger_and_member_send_nothing(hop, stranger, distributor_member, verb):
    for user in (stranger, distributor_member):
        with pytest.raises(NotAllowed):
            verb(hop, user)

    assert not Wave.objects.exists()
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("verb", [waves.pause, waves.resume, waves.cancel, waves.undo])
def test_stranger_moves_no_wave(hop, stranger, verb):
    wave = freeze(make_wave(hop))

    with pytest.raises(NotAllowed):
        verb(wave, stranger)

    wave.refresh_from_db()
    assert wave.state == WaveState.FROZEN


def test_second_sending_takes_late_joiners(hop, distributor_manager):
    freeze(make_wave(hop))
    people(hop.organization, 1)

    wave = waves.send_now(hop, Audience(), distributor_manager)

    assert wave.kind == WaveKind.LATE_JOINERS


def test_schedule_moves_and_cancel_ends(hop, distributor_manager):
    wave = waves.prepare(hop, Audience(), by=distributor_manager)
    tomorrow = timezone.now() + timedelta(days=1)

    waves.schedule(wave, tomorrow, distributor_manager)
    moved = waves.schedule(wave, tomorrow + timedelta(hours=1), distributor_manager)
    cancelled = waves.cancel(wave, distributor_manager)

    assert moved.scheduled_at == tomorrow + timedelta(hours=1)
    assert cancelled.state == WaveState.CANCELLED


def test_schedule_in_the_past_is_refused(hop, distributor_manager):
    wave = waves.prepare(hop, Audience(), by=distributor_manager)

    with pytest.raises(NotPossible, match="over"):
        waves.schedule(wave, timezone.now() - timedelta(hours=1), distributor_manager)


@pytest.mark.parametrize("case", ["paused link", "closed", "declined", "check"])
def test_scheduled_wave_is_asked_again_at_its_minute(hop, distributor_manager, case, monkeypatch):
    wave = make_wave(hop)
    if case == "paused link":
        NetworkLink.objects.filter(downstream=hop.organization).update(status=LinkStatus.PAUSED)
    elif case == "closed":
        Cascade.objects.update(state=CascadeState.CLOSED)
    elif case == "declined":
        Hop.objects.filter(pk=hop.pk).update(state=HopState.DECLINED)
    else:
        monkeypatch.setattr(waves, "_checks", [lambda wave: "A required zone is empty."])

    engine.sweep()

    wave.refresh_from_db()
    assert wave.state == WaveState.PAUSED
    assert wave.stopped_because
    assert wave.deliveries.count() == 0


def test_wave_stopped_at_its_minute_leaves_after_resume(hop, distributor_manager):
    link = NetworkLink.objects.filter(downstream=hop.organization)
    link.update(status=LinkStatus.PAUSED)
    wave = make_wave(hop)
    engine.sweep()
    wave.refresh_from_db()
    with pytest.raises(NotPossible):
        waves.resume(wave, distributor_manager)

    link.update(status=LinkStatus.ACTIVE)
    waves.resume(wave, distributor_manager)
    with FaultySMTPServer() as server:
        assert send_all(server) == 3


def test_wave_that_finds_nobody_at_its_minute_waits_with_the_reason(hop):
    wave = make_wave(hop, audience=Audience(countries=("XX",)))

    engine.sweep()

    wave.refresh_from_db()
    assert (wave.state, wave.stopped_because) == (WaveState.PAUSED, "Nobody in this audience can be mailed.")


def test_vendors_notice_that_finds_nobody_ends_with_the_reason(hop):
    wave = make_wave(hop.parent)

    engine.sweep()

    wave.refresh_from_db()
    assert (wave.state, wave.stopped_because) == (WaveState.CANCELLED, "Nobody in this audience can be mailed.")


def test_mail_that_cannot_be_written_pauses_the_wave_and_not_the_sweeper(hop, monkeypatch):
    def fail(wave, language):
        raise RuntimeError("template")

    wave = make_wave(hop)
    with monkeypatch.context() as patch:
        patch.setattr("cascade.compose.freeze_content", fail)
        patch.setattr("django.db.transaction.get_connection", lambda: type("C", (), {"in_atomic_block": False}))
        engine.sweep()

    wave.refresh_from_db()
    assert wave.state == WaveState.PAUSED
    assert wave.deliveries.count() == 0


def test_pause_and_resume_in_alternation_send_everybody_once(hop, distributor_manager):
    wave = freeze(make_wave(hop))

    with FaultySMTPServer() as server:
        for _ in range(3):
            waves.pause(wave, distributor_manager)
            waves.pause(wave, distributor_manager)
            assert send_all(server) == 0
            waves.resume(wave, distributor_manager)
            waves.resume(wave, distributor_manager)
        send_all(server)
        send_all(server)

    assert sum(server.recipients.values()) == 3
    assert_sums(wave)


def test_cancel_twice_cancels_once(hop, distributor_manager):
    wave = freeze(make_wave(hop))

    waves.cancel(wave, distributor_manager)
    cancelled = waves.cancel(wave, distributor_manager)

    assert cancelled.state == WaveState.CANCELLED
    assert states(wave) == {DeliveryState.CANCELLED: 3}
    assert LedgerEvent.objects.filter(kind=LedgerKind.CANCELLED).count() == 1
    assert counters.differences(hop) == {}


def test_cancel_of_what_has_left_is_refused(hop, distributor_manager):
    wave = make_wave(hop)
    with FaultySMTPServer() as server:
        send_all(server)

    with pytest.raises(NotPossible):
        waves.cancel(wave, distributor_manager)


def test_send_test_mails_the_person_alone_and_leaves_no_trace(hop, distributor_manager):
    waves.send_test(hop, distributor_manager)

    message = OutboxMessage.objects.get()
    assert message.recipients == [distributor_manager.email]
    assert message.subject.startswith("[Test] ")
    assert message.state == OutboxState.QUEUED
    assert not Wave.objects.exists()


def test_remind_takes_those_not_done(hop, distributor_manager):
    with FaultySMTPServer() as server:
        make_wave(hop)
        send_all(server)
        wave = waves.remind(hop, distributor_manager)
        let_time_pass(wave)
        send_all(server)

    assert set(server.recipients.values()) == {2}
    assert b"A reminder" in server.received[-1].data


def test_base_url_is_the_organizations_verified_host(distributor, settings):
    settings.BASE_URL = "https://portal.example:8443"
    assert waves.base_url(distributor) == "https://portal.example:8443"

    OrganizationHost.objects.create(organization=distributor, host="partners.acme.example", verified_at=timezone.now())
    assert waves.base_url(distributor) == "https://partners.acme.example:8443"


def test_progress_says_how_far_in_three_queries(hop, django_assert_num_queries):
    wave = make_wave(hop)
    with FaultySMTPServer() as server:
        send_all(server)
    wave.refresh_from_db()

    with django_assert_num_queries(1):
        progress = waves.progress(wave)

    assert (progress.total, progress.sent, progress.waiting, progress.percent) == (3, 3, 0, 100)
    assert progress.seconds_left is None


def test_correction_reaches_everybody_who_got_the_item_even_after_its_recall(hop, distributor_manager):
    with FaultySMTPServer() as server:
        make_wave(hop)
        send_all(server)
        Cascade.objects.update(state=CascadeState.RECALLED)
        wave = waves.send_now(hop, Audience(), distributor_manager, kind=WaveKind.CORRECTION)
        let_time_pass(wave)
        send_all(server)

    assert set(server.recipients.values()) == {2}
