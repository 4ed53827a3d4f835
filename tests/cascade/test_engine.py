from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.enums import AddressState, SuppressionReason, SuppressionScope
from accounts.models import Suppression
from cascade import counters, delivery, engine, journal, waves
from cascade.enums import CascadeState, ChunkState, DeliveryState, WaveState
from cascade.freeze import freeze
from cascade.models import Chunk, Delivery, Hop, Lane, LedgerEvent, Wave
from cascade.sql import dialect
from cascade.transport import Outcome
from tests.cascade.sending import (
    assert_sums,
    make_hop,
    make_wave,
    people,
    relay,
    retry_now,
    send_all,
    share,
    states,
)
from tests.cascade.smtp_server import CUT, FaultySMTPServer
from tests.cascade.test_transport import at
from tests.factories.cascade import CascadeFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr("cascade.freeze.CHUNK_SIZE", 4)
    monkeypatch.setattr("cascade.engine.WINDOW", 2)


def emails(wave: Wave) -> dict[str, int]:
    return {d.email: 1 for d in wave.deliveries.exclude(state=DeliveryState.SUPPRESSED)}


# --- the plain way ------------------------------------------------------------------------------------------------


def test_wave_is_frozen_sent_and_finished(small_chunks):
    wave = make_wave(make_hop(count=10))

    with FaultySMTPServer() as server:
        sent = send_all(server)

    assert sent == 10
    assert server.recipients == emails(wave)
    assert states(wave) == {DeliveryState.SENT: 10}
    wave.refresh_from_db()
    assert wave.state == WaveState.DONE
    assert None not in (wave.started_at, wave.finished_at, Hop.objects.get(pk=wave.hop_id).first_sent_at)
    assert LedgerEvent.objects.filter(key=f"wave:{wave.pk}:sent").count() == 1
    assert not wave.deliveries.filter(sent_at=None).exists()
    assert_sums(wave)
    assert counters.differences(wave.hop) == {}


def test_message_holds_the_persons_values_and_the_headers_bulk_senders_need():
    hop = make_hop()
    (contact,) = people(hop.organization, 1, name="Zoë “Z” <b>Ångström</b>")

    make_wave(hop)
    with FaultySMTPServer() as server:
        send_all(server)

    (received,) = server.received
    message = received.message
    assert received.recipient == contact.address.email
    assert message["To"].addresses[0].display_name == "Zoë “Z” <b>Ångström</b>"
    assert message["From"].addresses[0].display_name == f"{hop.organization.brand.sender_name} via Northwind"
    assert message["From"].addresses[0].addr_spec == received.sender == "portal@onward.example"
    assert message["Reply-To"] == hop.organization.brand.reply_to
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].startswith("<https://portal.example/m/u/")
    assert hop.organization.slug in message["List-Id"]
    assert message["Feedback-ID"].split(":")[1] == str(hop.organization.pk)
    assert message["Message-ID"].startswith("<d.")
    html = message.get_body(("html",)).get_content()
    assert "&lt;b&gt;Ångström" in html
    assert "zq" not in message.get_body(("plain",)).get_content().split("http")[0]


def test_drain_twice_sends_once():
    wave = make_wave(make_hop(count=5))

    with FaultySMTPServer() as server:
        send_all(server)
        for lane in Lane.objects.all():
            assert engine.drain_lane(lane, transport=relay(server)) == 0
        assert engine.sweep() == []

    assert server.recipients == emails(wave)


def test_small_wave_overtakes_a_big_one(small_chunks):
    big, small = make_wave(make_hop(count=9)), make_wave(make_hop(count=1))
    engine.sweep()

    lease = dialect().claim(Lane.objects.get().pk, "owner-1", 60)

    assert lease.wave_id == small.pk
    assert big.chunks.filter(state=ChunkState.READY).count() == 3


# --- replies ------------------------------------------------------------------------------------------------------


def test_temporary_refusal_is_tried_again_and_then_sent():
    wave = make_wave(make_hop(count=3))

    with FaultySMTPServer(answer=at("RCPT", 2, then="451 4.7.1 greylisted")) as server:
        send_all(server)
        assert states(wave) == {DeliveryState.SENT: 2, DeliveryState.RETRYING: 1}
        row = wave.deliveries.get(state=DeliveryState.RETRYING)
        assert timedelta(minutes=4) < row.not_before - timezone.now() < timedelta(minutes=6)
        assert (row.code, row.attempts) == (451, 1)
        assert send_all(server) == 0
        retry_now()
        assert send_all(server) == 1

    assert server.recipients == emails(wave)
    wave.refresh_from_db()
    assert wave.state == WaveState.DONE
    assert_sums(wave)


def test_temporary_refusals_end_in_failure_after_the_ladder():
    wave = make_wave(make_hop(count=1))

    with FaultySMTPServer(answer=at("RCPT", then="450 4.2.0 busy")) as server:
        for _ in range(len(engine.RETRY_MINUTES) + 3):
            send_all(server)
            retry_now()

    assert states(wave) == {DeliveryState.FAILED: 1}
    assert wave.deliveries.get().attempts == len(engine.RETRY_MINUTES) + 1
    assert server.received == []


def test_unknown_user_fails_and_marks_the_address():
    wave = make_wave(make_hop(count=3))

    with FaultySMTPServer(answer=at("RCPT", 1, then="550 5.1.1 unknown")) as server:
        send_all(server)

    failed = wave.deliveries.get(state=DeliveryState.FAILED)
    assert failed.address.state == AddressState.BOUNCED
    assert states(wave) == {DeliveryState.SENT: 2, DeliveryState.FAILED: 1}
    assert counters.differences(wave.hop) == {}


@pytest.mark.parametrize("answer", [("accept", CUT), CUT, "nonsense"])
def test_unconfirmed_is_never_sent_again_by_the_machine(answer):
    wave = make_wave(make_hop(count=3))

    with FaultySMTPServer(answer=at("DOT", 2, then=answer)) as server:
        for _ in range(3):
            send_all(server)
            retry_now()

    assert states(wave) == {DeliveryState.SENT: 2, DeliveryState.UNCONFIRMED: 1}
    assert max(server.recipients.values()) == 1
    wave.refresh_from_db()
    assert wave.state == WaveState.DONE
    assert_sums(wave)


@pytest.mark.parametrize(
    ("stage", "then", "words"),
    [
        ("MAIL", "550 5.7.1 no", "refuses our sender"),
        ("CONNECT", "421 busy", "slow down"),
        ("DOT", "454 4.7.0 Throttling failure", "slow down"),
        ("CONNECT", CUT, "cannot be reached"),
        ("DOT", "550 5.7.26 unauthenticated", "for everybody"),
    ],
)
def test_fault_of_the_relay_holds_the_lane_and_fails_nobody(stage, then, words):
    wave = make_wave(make_hop(count=8))

    with FaultySMTPServer(answer=at(stage, then=then)) as server:
        send_all(server)

    lane = Lane.objects.get()
    assert states(wave) == {DeliveryState.QUEUED: 8}
    assert words in lane.held_because
    assert lane.held_until > timezone.now()
    assert waves.progress(_fresh(wave)).held_because == lane.held_because
    assert engine.due_lanes() == []

    Lane.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    with FaultySMTPServer() as server:
        send_all(server)
    assert server.recipients == emails(wave)
    assert Lane.objects.get().failures == 0


def test_faults_in_a_row_hold_the_lane_longer():
    make_wave(make_hop(count=1))
    waits = []

    with FaultySMTPServer(answer=at("CONNECT", then=CUT)) as server:
        for _ in range(4):
            send_all(server)
            waits.append((Lane.objects.get().held_until - timezone.now()).total_seconds())
            Lane.objects.update(held_until=None)

    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]


def test_value_that_may_not_stand_in_a_header_fails_that_person_only():
    hop = make_hop(count=3)
    wave = freeze(make_wave(hop))
    first = wave.deliveries.order_by("pk").first()
    Delivery.objects.filter(pk=first.pk).update(name="A\nBcc: evil@x.example")

    with FaultySMTPServer() as server:
        send_all(server)

    assert states(wave) == {DeliveryState.SENT: 2, DeliveryState.FAILED: 1}
    assert b"evil" not in b"".join(item.data for item in server.received)


# --- control ------------------------------------------------------------------------------------------------------


def test_pause_stops_within_a_window_and_resume_sends_the_rest_once(small_chunks):
    wave = make_wave(make_hop(count=10))

    with FaultySMTPServer() as server:
        engine.sweep()
        transport = relay(server)
        original = transport._finish

        def finish(message, following):
            reply = original(message, following)
            if len(server.received) == 3:
                Wave.objects.filter(pk=wave.pk).update(state=WaveState.PAUSED)
            return reply

        transport._finish = finish
        for lane in Lane.objects.all():
            engine.drain_lane(lane, transport=transport)
        assert 3 <= len(server.received) <= 5
        before = len(server.received)
        assert send_all(server) == 0
        assert_sums(wave)

        Wave.objects.filter(pk=wave.pk).update(state=WaveState.SENDING)
        send_all(server)

    assert before < 10
    assert server.recipients == emails(wave)
    assert states(wave) == {DeliveryState.SENT: 10}


def test_stop_requested_in_mid_chunk_cancels_the_rest(small_chunks):
    wave = make_wave(make_hop(count=10))

    with FaultySMTPServer() as server:
        engine.sweep()
        transport = relay(server)
        original = transport._finish

        def finish(message, following):
            reply = original(message, following)
            if len(server.received) == 3:
                Wave.objects.filter(pk=wave.pk).update(stop_requested=True)
            return reply

        transport._finish = finish
        for lane in Lane.objects.all():
            engine.drain_lane(lane, transport=transport)
        send_all(server)

    wave.refresh_from_db()
    sent = len(server.received)
    assert wave.state == WaveState.CANCELLED
    assert states(wave) == {DeliveryState.SENT: sent, DeliveryState.CANCELLED: 10 - sent}
    assert max(server.recipients.values()) == 1
    assert counters.differences(wave.hop) == {}


def test_lease_lasts_a_minute_unless_a_drill_shortens_it():
    assert engine.LEASE_SECONDS == 60


def test_recall_lets_nothing_more_leave():
    wave = freeze(make_wave(make_hop(count=3)))
    type(wave.hop.cascade).objects.filter(pk=wave.hop.cascade_id).update(state=CascadeState.RECALLED)

    with FaultySMTPServer() as server:
        for lane in Lane.objects.all():  # before the sweeper knows
            engine.drain_lane(lane, transport=relay(server))
        assert server.received == []
        send_all(server)

    wave.refresh_from_db()
    assert server.received == []
    assert wave.state == WaveState.CANCELLED
    assert states(wave) == {DeliveryState.CANCELLED: 3}


def test_refusal_after_the_freeze_is_obeyed():
    hop = make_hop(count=2)
    wave = freeze(make_wave(hop))
    row = wave.deliveries.first()
    Suppression.objects.create(
        email_hash=row.address.email_hash,
        scope=SuppressionScope.SENDER,
        sender=hop.organization,
        reason=SuppressionReason.UNSUBSCRIBED,
    )

    with FaultySMTPServer() as server:
        send_all(server)

    row.refresh_from_db()
    assert (row.state, row.reason) == (DeliveryState.SUPPRESSED, "unsubscribed")
    assert row.email not in server.recipients
    assert_sums(wave)
    assert counters.differences(hop) == {}


def test_edit_after_the_freeze_changes_nobodys_mail(small_chunks):
    hop = make_hop(count=6)
    wave = freeze(make_wave(hop))
    page = hop.cascade.contents.get().page.specific
    page.title = "Something else"
    page.save_revision().publish()

    with FaultySMTPServer() as server:
        send_all(server)

    subjects = {item.message["Subject"] for item in server.received}
    assert subjects == {wave.contents.get().subject}
    assert not any(b"Something else" in item.data for item in server.received)


# --- two senders of one person ------------------------------------------------------------------------------------


@pytest.fixture
def two_senders():
    cascade = CascadeFactory()
    first, second = make_hop(cascade, count=2), make_hop(cascade, count=2)
    (contact,) = people(first.organization, 1)
    share(contact, second.organization)
    return [freeze(make_wave(first)), freeze(make_wave(second))], contact.address


def test_covered_person_gets_one_message_and_looks_like_everybody(two_senders):
    (first, second), address = two_senders

    with FaultySMTPServer() as server:
        send_all(server)

    assert server.recipients[address.email] == 1
    assert sum(server.recipients.values()) == 5
    assert delivery.tally(first.deliveries.all()) == delivery.tally(second.deliveries.all()) == {"sent": 3}
    one, other = waves.progress(_fresh(first)), waves.progress(_fresh(second))
    assert (one.total, one.sent, one.percent) == (other.total, other.sent, other.percent) == (3, 3, 100)
    for wave in (first, second):
        assert_sums(wave)
        assert counters.differences(wave.hop) == {}


def test_covered_person_waits_for_the_turn_like_everybody(two_senders):
    (_first, second), _address = two_senders

    assert delivery.tally(second.deliveries.all()) == {"queued": 3}


def test_covered_person_fails_where_the_winner_failed(two_senders):
    (_first, second), address = two_senders

    def refuse(stage, recipient, nth):
        return "550 5.2.1 disabled" if stage == "RCPT" and recipient == address.email else None

    with FaultySMTPServer(answer=refuse) as server:
        send_all(server)

    assert delivery.tally(second.deliveries.all()) == {"sent": 2, "failed": 1}


def test_cancelled_winner_promotes_the_oldest_covered_row(two_senders):
    (first, second), address = two_senders

    Wave.objects.filter(pk=first.pk).update(stop_requested=True)
    with FaultySMTPServer() as server:
        send_all(server)

    assert states(first) == {DeliveryState.CANCELLED: 3}
    assert states(second) == {DeliveryState.SENT: 3}
    assert server.recipients[address.email] == 1
    for wave in (first, second):
        assert_sums(wave)
        assert counters.differences(wave.hop) == {}


def test_winner_who_unsubscribed_from_one_sender_is_mailed_by_the_other(two_senders):
    (first, second), address = two_senders
    Suppression.objects.create(
        email_hash=address.email_hash,
        scope=SuppressionScope.SENDER,
        sender=first.hop.organization,
        reason=SuppressionReason.UNSUBSCRIBED,
    )

    with FaultySMTPServer() as server:
        send_all(server)

    assert first.deliveries.get(address=address).state == DeliveryState.SUPPRESSED
    assert second.deliveries.get(address=address).state == DeliveryState.SENT
    assert server.recipients[address.email] == 1
    second.refresh_from_db()
    assert second.state == WaveState.DONE


def test_person_who_refuses_everything_is_mailed_by_nobody(two_senders):
    (first, second), address = two_senders
    Suppression.objects.create(
        email_hash=address.email_hash, scope=SuppressionScope.GLOBAL, reason=SuppressionReason.UNSUBSCRIBED
    )

    with FaultySMTPServer() as server:
        send_all(server)

    assert address.email not in server.recipients
    assert {wave.deliveries.get(address=address).state for wave in (first, second)} <= {
        DeliveryState.SUPPRESSED,
        DeliveryState.COVERED,
    }
    for wave in (first, second):
        assert_sums(wave)


# --- leases, crashes, zombies -------------------------------------------------------------------------------------


class Killed(BaseException):
    """Ends a run the way SIGKILL would: nothing more is written."""


def crash_after(monkeypatch, server, count: int, *, in_the_air: bool) -> None:
    """Run the engine until so many messages were accepted, then stop dead, before or after a message's reply."""
    transport = relay(server)
    original = transport._finish

    def finish(message, following):
        if not in_the_air and len(server.received) == count:
            raise Killed
        reply = original(message, following)
        if in_the_air and len(server.received) == count:
            raise Killed
        return reply

    transport._finish = finish
    with monkeypatch.context() as patch:
        patch.setattr("cascade.engine._ChunkRun._settle", lambda self: None)
        patch.setattr("cascade.journal.Journal.close", lambda self: None)
        engine.sweep()
        for lane in Lane.objects.all():
            with pytest.raises(Killed):
                engine.drain_lane(lane, transport=transport)


def expire_leases() -> None:
    Chunk.objects.filter(state=ChunkState.LEASED).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("count", [1, 5, 16, 17, 20])
@pytest.mark.parametrize("in_the_air", [True, False])
def test_crash_without_believable_journal_leaves_a_window_unconfirmed_and_nobody_twice(monkeypatch, count, in_the_air):
    wave = make_wave(make_hop(count=30))

    with FaultySMTPServer() as server:
        crash_after(monkeypatch, server, count, in_the_air=in_the_air)
        assert engine.reap() == 0  # the lease still runs, and its process lives
        expire_leases()
        assert engine.reap() == 1
        send_all(server)

    total = states(wave)
    assert 1 <= total[DeliveryState.UNCONFIRMED] <= engine.WINDOW
    assert max(server.recipients.values()) == 1
    reached = set(server.recipients)
    assert set(wave.deliveries.filter(state=DeliveryState.SENT).values_list("email", flat=True)) <= reached
    unconfirmed = set(wave.deliveries.filter(state=DeliveryState.UNCONFIRMED).values_list("email", flat=True))
    assert set(emails(wave)) == reached | unconfirmed
    assert_sums(wave)
    assert counters.differences(wave.hop) == {}


@pytest.mark.parametrize(("in_the_air", "unconfirmed"), [(True, 1), (False, 1)])
def test_crash_with_the_journal_of_a_dead_process_leaves_one_unconfirmed(monkeypatch, in_the_air, unconfirmed):
    wave = make_wave(make_hop(count=30))

    with FaultySMTPServer() as server:
        crash_after(monkeypatch, server, 20, in_the_air=in_the_air)
        monkeypatch.setattr("cascade.journal.is_proven_dead", lambda owner: True)
        assert engine.reap() == 1  # at once: nobody waits for the lease of the dead
        send_all(server)

    assert states(wave) == {DeliveryState.SENT: 30 - unconfirmed, DeliveryState.UNCONFIRMED: unconfirmed}
    assert max(server.recipients.values()) == 1
    assert_sums(wave)


def test_crash_keeps_refusals_that_the_window_had_written(monkeypatch):
    monkeypatch.setattr("cascade.engine.WINDOW", 2)
    wave = make_wave(make_hop(count=10))

    with FaultySMTPServer(answer=at("RCPT", 2, then="550 5.1.1 unknown")) as server:
        crash_after(monkeypatch, server, 5, in_the_air=True)
        expire_leases()
        engine.reap()
        send_all(server)

    total = states(wave)
    assert total[DeliveryState.FAILED] == 1
    assert total[DeliveryState.UNCONFIRMED] <= 2
    assert max(server.recipients.values()) == 1


def test_reap_twice_changes_nothing(monkeypatch):
    wave = make_wave(make_hop(count=30))

    with FaultySMTPServer() as server:
        crash_after(monkeypatch, server, 5, in_the_air=True)
        expire_leases()
        engine.reap()
        after = states(wave)
        assert engine.reap() == 0

    assert states(wave) == after


def test_zombie_is_fenced_out_and_what_it_knows_settles_what_is_in_doubt():
    """A worker that stalled past its lease, was reaped, and wakes up after its message was accepted."""
    wave = make_wave(make_hop(count=6))

    with FaultySMTPServer() as server:
        engine.sweep()
        transport = relay(server)
        original = transport._finish

        def finish(message, following):
            reply = original(message, following)
            if len(server.received) == 3:
                expire_leases()
                engine.reap()
                assert states(wave)[DeliveryState.UNCONFIRMED] == 6
            return reply

        transport._finish = finish
        for lane in Lane.objects.all():
            engine.drain_lane(lane, transport=transport)
        send_all(server)

    assert max(server.recipients.values()) == 1
    # It goes on through its window, whose rows nobody else may send, and reports.
    assert states(wave) == {DeliveryState.SENT: 6}
    assert_sums(wave)
    assert counters.differences(wave.hop) == {}


def test_zombie_cannot_open_another_window(monkeypatch):
    monkeypatch.setattr("cascade.engine.WINDOW", 2)
    wave = make_wave(make_hop(count=10))

    with FaultySMTPServer() as server:
        engine.sweep()
        transport = relay(server)
        original = transport._finish

        def finish(message, following):
            reply = original(message, following)
            if len(server.received) == 3:
                expire_leases()
                engine.reap()
            return reply

        transport._finish = finish
        lane = Lane.objects.get()
        lease = engine._claim(dialect(), lane, journal.owner_name())
        engine._ChunkRun(dialect(), lease, journal.Journal(journal.owner_name())).deliver(transport)
        assert len(server.received) == 4
        send_all(server)

    assert server.recipients == emails(wave)
    assert states(wave) == {DeliveryState.SENT: 10}


def test_error_of_ours_in_mid_chunk_settles_what_is_known(monkeypatch):
    wave = make_wave(make_hop(count=6))
    original = engine._ChunkRun._outgoing

    def broken(self, compiled, sender):
        for place, outgoing in enumerate(original(self, compiled, sender)):
            if place == 4:
                raise RuntimeError("bug")
            yield outgoing

    with FaultySMTPServer() as server:
        engine.sweep()
        with monkeypatch.context() as patch:
            patch.setattr(engine._ChunkRun, "_outgoing", broken)
            for lane in Lane.objects.all():
                with pytest.raises(RuntimeError):
                    engine.drain_lane(lane, transport=relay(server))
        assert DeliveryState.UNCONFIRMED not in states(wave)
        send_all(server)

    assert server.recipients == emails(wave)


@pytest.mark.parametrize("hours", [-3, 3])
def test_lease_runs_by_the_databases_clock_whatever_the_worker_believes(time_machine, hours):
    make_wave(make_hop(count=1))
    engine.sweep()
    lease = dialect().claim(Lane.objects.get().pk, "owner-1", 60)

    time_machine.move_to(timezone.now() + timedelta(hours=hours))

    assert dialect().expired() == [(lease.chunk_id, lease.owner, lease.epoch, False)]
    assert engine.reap() == 0


def test_claim_is_exclusive(small_chunks):
    make_wave(make_hop(count=8))
    engine.sweep()
    lane, db = Lane.objects.get(), dialect()

    leases = [db.claim(lane.pk, f"owner-{n}", 60) for n in range(3)]

    assert [lease and lease.number for lease in leases] == [1, 2, None]


def test_lane_with_a_rate_claims_no_faster(small_chunks):
    hop = make_hop(count=8)
    wave = freeze(make_wave(hop))
    Lane.objects.update(rate=1, tokens=1, refilled_at=timezone.now())

    with FaultySMTPServer() as server:
        lane = Lane.objects.get()
        assert engine.drain_lane(lane, transport=relay(server)) == 4
        assert engine.drain_lane(lane, transport=relay(server)) == 0
        Lane.objects.update(refilled_at=timezone.now() - timedelta(seconds=5))
        assert engine.drain_lane(lane, transport=relay(server)) == 4

    assert server.recipients == emails(wave)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a setting of PostgreSQL")
def test_session_writes_windows_to_disk():
    dialect().prepare_session()

    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


# --- unconfirmed: a person decides --------------------------------------------------------------------------------


@pytest.fixture
def unconfirmed(distributor, distributor_manager):
    wave = make_wave(make_hop(organization=distributor, count=3))
    with FaultySMTPServer(answer=at("DOT", 2, then=CUT)) as server:
        send_all(server)
    return wave, wave.deliveries.filter(state=DeliveryState.UNCONFIRMED)


def test_person_confirms_an_unconfirmed_message(unconfirmed, distributor_manager):
    wave, rows = unconfirmed

    assert delivery.confirm(rows, by=distributor_manager) == 1

    assert states(wave) == {DeliveryState.SENT: 3}
    assert counters.differences(wave.hop) == {}


def test_person_sends_an_unconfirmed_message_again(unconfirmed, distributor_manager):
    wave, rows = unconfirmed

    assert delivery.send_again(rows, by=distributor_manager) == 1
    with FaultySMTPServer() as server:
        send_all(server)

    assert sum(server.recipients.values()) == 1
    assert states(wave) == {DeliveryState.SENT: 3}
    assert counters.differences(wave.hop) == {}


def test_person_gives_an_unconfirmed_message_up(unconfirmed, distributor_manager):
    wave, rows = unconfirmed

    assert delivery.give_up(rows, by=distributor_manager) == 1
    assert delivery.give_up(rows, by=distributor_manager) == 0

    assert states(wave) == {DeliveryState.SENT: 2, DeliveryState.FAILED: 1}


def test_stranger_decides_nothing(unconfirmed, stranger):
    _wave, rows = unconfirmed

    for verb in (delivery.confirm, delivery.give_up, delivery.send_again):
        with pytest.raises(Exception, match="owners and managers"):
            verb(rows, by=stranger)

    assert rows.count() == 1


# --- results ------------------------------------------------------------------------------------------------------


def test_journal_reads_back_what_a_dead_owner_noted(monkeypatch):
    owner = journal.owner_name()
    notes = journal.Journal(owner)
    notes.started(7, 1, 3)
    notes.replied(7, 1, 3, Outcome.SENT, 250)
    notes.started(8, 1, 3)
    notes.started(9, 2, 1)

    assert journal.read(owner, 1, 3) is None  # it lives
    monkeypatch.setattr(journal, "is_proven_dead", lambda name: True)
    assert journal.read(owner, 1, 3) == {7: (Outcome.SENT, 250), 8: (None, 0)}


def test_owner_is_proven_dead_only_on_the_same_machine():
    machine, pid, started, thread = journal.owner_name().split("-")

    assert not journal.is_proven_dead(journal.owner_name())
    assert journal.is_proven_dead(f"{machine}-{pid}-1{started}-{thread}")
    assert not journal.is_proven_dead(f"0123456789ab-{pid}-1{started}-{thread}")
    assert not journal.is_proven_dead("nonsense")


def _fresh(wave: Wave) -> Wave:
    return Wave.objects.get(pk=wave.pk)
