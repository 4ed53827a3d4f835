"""A worker that is asked to end leaves nothing in doubt."""

import pytest

from cascade import engine, stopping
from cascade.enums import DeliveryState
from tests.cascade.sending import assert_sums, make_hop, make_wave, relay, states
from tests.cascade.smtp_server import FaultySMTPServer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_request(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    yield
    stopping.forget()


class StoppedAfter:
    """A transport during whose ``count``-th reply the process is asked to end."""

    def __init__(self, inner, count):
        self.inner, self.left = inner, count

    def send(self, messages, before_leaving):
        for reply in self.inner.send(messages, before_leaving):
            self.left -= 1
            if self.left == 0:
                stopping.request()
            yield reply

    def close(self):
        self.inner.close()


def test_engine_when_asked_to_stop_settles_what_left_and_sends_the_rest_later(monkeypatch):
    monkeypatch.setattr("cascade.engine.WINDOW", 2)
    monkeypatch.setattr("cascade.freeze.CHUNK_SIZE", 6)
    wave = make_wave(make_hop(count=12))
    with FaultySMTPServer() as server:
        sent = engine.work_off(transport=StoppedAfter(relay(server), 3))
        assert 3 <= sent < 6
        assert states(wave) == {DeliveryState.SENT: sent, DeliveryState.QUEUED: 12 - sent}
        assert sum(server.recipients.values()) == sent
        assert not wave.chunks.exclude(owner="").exists()

        stopping.forget()
        engine.work_off(transport=relay(server))
        assert states(wave) == {DeliveryState.SENT: 12}
        assert set(server.recipients.values()) == {1}
    assert_sums(wave)


def test_engine_when_already_asked_to_stop_leases_nothing():
    wave = make_wave(make_hop(count=3))
    stopping.request()
    with FaultySMTPServer() as server:
        assert engine.work_off(transport=relay(server)) == 0
    assert states(wave) == {DeliveryState.QUEUED: 3}
