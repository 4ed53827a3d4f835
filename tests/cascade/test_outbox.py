from datetime import timedelta

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import transaction
from django.utils import timezone

from cascade import lanes, outbox
from cascade.enums import OutboxState
from cascade.models import OutboxMessage
from cascade.transport import SMTPTransport
from tests.cascade.smtp_server import CUT, FaultySMTPServer
from tests.cascade.test_transport import at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def var_dir(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def post(*to: str, subject: str = "Your invitation", **fields) -> int:
    message = EmailMultiAlternatives(subject, "Come in.", "Onward <portal@onward.example>", to, **fields)
    message.attach_alternative("<p>Come in.</p>", "text/html")
    return get_connection("cascade.outbox.OutboxEmailBackend").send_messages([message])


def drain(server: FaultySMTPServer) -> int:
    return outbox.drain(transport=SMTPTransport("127.0.0.1", server.port))


def states() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("state", flat=True))


def test_settings_send_through_the_outbox():
    from config.settings import base

    assert base.EMAIL_BACKEND == "cascade.outbox.OutboxEmailBackend"


def test_message_is_a_row_first_and_then_leaves_once():
    assert post("Zoë <zoe@müller.example>", "b@y.example") == 1
    assert states() == [OutboxState.QUEUED] * 2

    with FaultySMTPServer() as server:
        assert drain(server) == 2
        assert drain(server) == 0

    assert server.recipients == {"b@y.example": 1, "zoe@xn--mller-kva.example": 1}
    assert states() == [OutboxState.SENT] * 2


def test_sent_message_is_what_was_written_and_its_tokens_are_forgotten():
    post("a@y.example", subject="Grüße", headers={"Message-ID": "<1@onward.example>"})

    with FaultySMTPServer() as server:
        drain(server)

    (received,) = server.received
    assert received.sender == "portal@onward.example"
    assert received.message["Subject"] == "Grüße"
    assert received.message["Message-ID"] == "<1@onward.example>"
    assert received.message.get_body(("html",)).get_content().strip() == "<p>Come in.</p>"
    assert bytes(OutboxMessage.objects.get().raw) == b""


def test_rolled_back_transaction_sends_nothing():
    with transaction.atomic():
        post("a@y.example")
        transaction.set_rollback(True)

    assert states() == []


def test_dead_mail_server_keeps_the_message_and_sends_it_when_it_is_back():
    with FaultySMTPServer() as server:
        port = server.port
    post("a@y.example")

    assert outbox.drain(transport=SMTPTransport("127.0.0.1", port)) == 0
    assert states() == [OutboxState.QUEUED]
    assert not outbox.is_due()
    lane = lanes.transactional_lane()
    assert "cannot be reached" in lane.held_because

    type(lane).objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert outbox.is_due()
    with FaultySMTPServer() as server:
        assert drain(server) == 1
    assert sum(server.recipients.values()) == 1


def test_temporary_refusal_climbs_the_ladder_and_ends():
    post("a@y.example")

    with FaultySMTPServer(answer=at("RCPT", then="451 later")) as server:
        for _ in range(len(outbox.RETRY_MINUTES) + 2):
            drain(server)
            OutboxMessage.objects.update(not_before=timezone.now())

    row = OutboxMessage.objects.get()
    assert (row.state, row.attempts, row.detail) == (OutboxState.FAILED, len(outbox.RETRY_MINUTES) + 1, "451 later")


@pytest.mark.parametrize(
    ("stage", "then", "expected"),
    [("RCPT", "550 5.1.1 no", OutboxState.FAILED), ("DOT", ("accept", CUT), OutboxState.UNCONFIRMED)],
)
def test_refused_and_unconfirmed_are_not_sent_again(stage, then, expected):
    post("a@y.example")

    with FaultySMTPServer(answer=at(stage, 1, then=then)) as server:
        drain(server)
        drain(server)

    assert states() == [expected]
    assert sum(server.recipients.values()) <= 1


def test_message_a_dead_worker_held_is_unconfirmed():
    post("a@y.example")
    OutboxMessage.objects.update(owner="another-1-1-1", lease_until=timezone.now() - timedelta(seconds=1))

    with FaultySMTPServer() as server:
        drain(server)

    assert states() == [OutboxState.UNCONFIRMED]
    assert server.received == []


def test_header_injection_is_refused_before_anything_is_written():
    with pytest.raises(ValueError, match="newlines"):
        post("a@y.example", subject="Hi\nBcc: x@y.example")

    assert states() == []


def test_message_without_recipients_is_no_row():
    backend = get_connection("cascade.outbox.OutboxEmailBackend")

    assert backend.send_messages([EmailMessage("s", "b", "a@x.example", [])]) == 0
    assert states() == []


def test_dead_broker_breaks_no_page(monkeypatch, django_capture_on_commit_callbacks):
    def refuse(*args, **kwargs):
        raise ConnectionError("no broker")

    monkeypatch.setattr("cascade.tasks.drain_outbox.apply_async", refuse)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        post("a@y.example")

    assert len(callbacks) == 1
    assert states() == [OutboxState.QUEUED]
