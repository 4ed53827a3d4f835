import smtplib
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from cascade.transport import (
    BackendTransport,
    FaultKind,
    Outcome,
    Outgoing,
    RelayFault,
    SMTPTransport,
    default_transport,
)
from tests.cascade.smtp_server import CUT, FaultySMTPServer

BODY = b"From: a@x.example\r\nTo: b@y.example\r\nSubject: Hi\r\n\r\nText\r\n.dot\r\nend\r\n"


def outgoing(count: int) -> list[Outgoing]:
    return [Outgoing(key, "portal@x.example", f"r{key}@y.example", BODY) for key in range(1, count + 1)]


def at(stage: str, *nths: int, then: object) -> Callable[[str, str, int], object]:
    return lambda asked, recipient, nth: then if asked == stage and (not nths or nth in nths) else None


class Run:
    """What one call of send() said and did."""

    def __init__(self, transport, messages) -> None:
        self.started: list[int] = []
        self.outcomes: dict[int, str] = {}
        self.codes: dict[int, int] = {}
        self.fault: RelayFault | None = None
        try:
            for reply in transport.send(messages, self.started.append):
                assert reply.key not in self.outcomes
                self.outcomes[reply.key] = reply.outcome
                self.codes[reply.key] = reply.code
        except RelayFault as fault:
            self.fault = fault
        transport.close()
        assert set(self.started) <= set(self.outcomes), "a started message has no reply"


def run(server: FaultySMTPServer, count: int = 5, **options) -> Run:
    return Run(SMTPTransport("127.0.0.1", server.port, **options), outgoing(count))


def test_send_delivers_each_message_once_on_one_connection():
    with FaultySMTPServer() as server:
        result = run(server, 20)

    assert set(result.outcomes.values()) == {Outcome.SENT}
    assert result.started == list(range(1, 21))
    assert [item.recipient for item in server.received] == [f"r{key}@y.example" for key in range(1, 21)]
    assert {item.data for item in server.received} == {BODY}
    assert server.connections == 1


@pytest.mark.parametrize(
    "options", [{"extensions": ()}, {"extensions": ("SIZE 1000000",)}, {"byte_by_byte": True}], ids=str
)
def test_send_with_awkward_server_delivers_each_message_once(options):
    with FaultySMTPServer(**options) as server:
        result = run(server)

    assert set(result.outcomes.values()) == {Outcome.SENT}
    assert server.recipients == {f"r{key}@y.example": 1 for key in range(1, 6)}


def test_send_with_slow_reply_to_the_dot_waits():
    with FaultySMTPServer(delay_dot=0.4) as server:
        result = run(server, 2, connect_timeout=0.2)

    assert result.outcomes == {1: Outcome.SENT, 2: Outcome.SENT}
    assert sum(server.recipients.values()) == 2


def test_send_with_timeout_at_the_dot_is_unconfirmed():
    with FaultySMTPServer(delay_dot=0.4) as server:
        result = run(server, 1, dot_timeout=0.1)

    assert result.outcomes == {1: Outcome.UNCONFIRMED}


@pytest.mark.parametrize(
    ("stage", "then", "expected"),
    [
        ("DOT", ("accept", CUT), Outcome.UNCONFIRMED),
        ("DOT", CUT, Outcome.UNCONFIRMED),
        ("DOT", "nonsense", Outcome.UNCONFIRMED),
        ("DOT", "x" * 10_000, Outcome.UNCONFIRMED),
        ("MAIL", CUT, Outcome.SENT),
        ("RCPT", CUT, Outcome.SENT),
        ("DATA", CUT, Outcome.SENT),
        ("DOT", "451 4.7.1 greylisted", Outcome.TEMPORARY),
        ("DOT", "452 4.2.2 mailbox full", Outcome.TEMPORARY),
        ("RCPT", "450 4.2.0 busy", Outcome.TEMPORARY),
        ("RCPT", "550 5.1.1 unknown user", Outcome.PERMANENT),
        ("DATA", "554 5.5.0 no", Outcome.PERMANENT),
        ("DOT", "552 5.3.4 too big", Outcome.PERMANENT),
        ("DOT", "550-5.1.1 first line\r\n550 5.1.1 second line", Outcome.PERMANENT),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
def test_send_with_one_fault_affects_one_message(stage, then, expected, pipelining):
    with FaultySMTPServer(answer=at(stage, 3, then=then)) as server:
        result = run(server, pipelining=pipelining)

    assert result.fault is None
    assert result.outcomes == {key: expected if key == 3 else Outcome.SENT for key in range(1, 6)}
    accepted = {f"r{key}@y.example": 1 for key in range(1, 6) if key != 3}
    if expected is Outcome.SENT or then == ("accept", CUT):
        accepted["r3@y.example"] = 1
    assert server.recipients == accepted


def test_send_when_line_is_cut_in_the_body_is_not_accepted():
    with FaultySMTPServer(answer=at("BODY", 2, then=CUT)) as server:
        result = Run(
            SMTPTransport("127.0.0.1", server.port),
            [Outgoing(key, "a@x.example", f"r{key}@y.example", BODY + b"x" * 30_000_000) for key in range(1, 4)],
        )

    assert result.outcomes[2] == Outcome.NOT_STARTED
    assert server.recipients == {"r1@y.example": 1, "r3@y.example": 1}


@pytest.mark.parametrize(
    ("stage", "then", "kind"),
    [
        ("CONNECT", "554 5.7.1 go away", FaultKind.CONNECT),
        ("CONNECT", "421 4.3.2 too busy", FaultKind.THROTTLED),
        ("CONNECT", CUT, FaultKind.CONNECT),
        ("MAIL", "550 5.7.1 sender refused", FaultKind.SENDER),
        ("MAIL", "530 5.7.0 authenticate first", FaultKind.LOGIN),
        ("MAIL", "452 4.3.1 disk full", FaultKind.THROTTLED),
        ("MAIL", "garbage", FaultKind.CONNECT),
        ("RCPT", "421 4.7.0 slow down", FaultKind.THROTTLED),
        ("DOT", "454 4.7.0 Throttling failure: Maximum sending rate exceeded.", FaultKind.THROTTLED),
        ("DOT", "421 4.7.0 slow down", FaultKind.THROTTLED),
    ],
)
@pytest.mark.parametrize("pipelining", [True, False])
def test_send_with_fault_of_the_relay_raises_and_fails_nobody(stage, then, kind, pipelining):
    with FaultySMTPServer(answer=at(stage, then=then)) as server:
        result = run(server, pipelining=pipelining)

    assert result.fault is not None
    assert result.fault.kind is kind
    assert set(result.outcomes.values()) <= {Outcome.NOT_STARTED}
    assert server.received == []


def test_send_with_421_after_some_messages_opens_the_next_connection():
    with FaultySMTPServer(answer=at("MAIL", 3, 6, then="421 4.7.0 too many messages")) as server:
        result = run(server, 6)

    assert set(result.outcomes.values()) == {Outcome.SENT}
    assert server.recipients == {f"r{key}@y.example": 1 for key in range(1, 7)}
    assert server.connections == 3


def test_send_when_everybody_is_refused_by_policy_blames_the_relay():
    with FaultySMTPServer(answer=at("DOT", then="550 5.7.26 unauthenticated")) as server:
        result = run(server)

    assert result.fault is not None
    assert result.fault.kind is FaultKind.POLICY
    assert result.fault.requeue == (1, 2, 3)
    assert len(result.outcomes) == 3


def test_send_when_one_is_refused_by_policy_fails_that_one():
    with FaultySMTPServer(answer=at("RCPT", 1, 2, 4, 5, then="550 5.7.1 not you")) as server:
        result = run(server)

    assert result.fault is None
    assert [key for key, outcome in result.outcomes.items() if outcome == Outcome.PERMANENT] == [1, 2, 4, 5]


def test_send_when_relay_drops_every_message_stops_after_three():
    with FaultySMTPServer(answer=at("DOT", then=("accept", CUT))) as server:
        result = run(server, 10)

    assert result.fault is not None
    assert result.fault.kind is FaultKind.DROPPED
    assert result.outcomes == {1: Outcome.UNCONFIRMED, 2: Outcome.UNCONFIRMED, 3: Outcome.UNCONFIRMED}


def test_send_with_nobody_listening_raises_connect():
    with FaultySMTPServer() as server:
        port = server.port

    result = Run(SMTPTransport("127.0.0.1", port), outgoing(2))

    assert result.fault is not None
    assert result.fault.kind is FaultKind.CONNECT
    assert result.outcomes == {}


def test_send_with_wrong_password_raises_login():
    with FaultySMTPServer(answer=at("AUTH", then="535 5.7.8 no"), extensions=("AUTH PLAIN",)) as server:
        result = run(server, username="u", password="p")

    assert result.fault is not None
    assert result.fault.kind is FaultKind.LOGIN


def test_send_with_starttls_missing_raises_tls():
    with FaultySMTPServer() as server:
        result = run(server, tls="starttls")

    assert result.fault is not None
    assert result.fault.kind is FaultKind.TLS
    assert server.received == []


class Stop(Exception):
    pass


def test_send_when_callback_raises_leaves_nothing_and_works_again():
    def stop_at_three(key: int) -> None:
        if key == 3:
            raise Stop

    with FaultySMTPServer() as server:
        transport = SMTPTransport("127.0.0.1", server.port)
        with suppress(Stop):
            list(transport.send(outgoing(5), stop_at_three))
        assert server.recipients == {"r1@y.example": 1, "r2@y.example": 1}
        replies = list(transport.send(outgoing(5)[2:], lambda key: None))
        transport.close()

    assert [reply.outcome for reply in replies] == [Outcome.SENT] * 3
    assert server.recipients == {f"r{key}@y.example": 1 for key in range(1, 6)}


def test_send_when_caller_stops_early_keeps_the_next_call_in_step():
    with FaultySMTPServer() as server:
        transport = SMTPTransport("127.0.0.1", server.port)
        replies = transport.send(outgoing(3), lambda key: None)
        next(replies)
        replies.close()
        later = list(transport.send(outgoing(3)[1:], lambda key: None))
        transport.close()

    assert [reply.outcome for reply in later] == [Outcome.SENT] * 2
    assert server.recipients == {f"r{key}@y.example": 1 for key in range(1, 4)}


@pytest.mark.parametrize("address", ["a@x>\r\nRCPT TO:<evil@z.example", "a b@x.example", "ä@x.example"])
def test_send_with_forged_address_is_refused(address):
    with FaultySMTPServer() as server, pytest.raises(ValueError, match=r"."):
        list(
            SMTPTransport("127.0.0.1", server.port).send([Outgoing(1, "a@x.example", address, BODY)], lambda key: None)
        )
    assert server.received == []


def test_default_transport_reads_the_settings(settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "relay.example", 587
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "u", "p"
    settings.EMAIL_USE_TLS = True

    assert default_transport() == SMTPTransport("relay.example", 587, "u", "p", "starttls")


# --- any Django backend -------------------------------------------------------------------------------------------


class RaisingBackend(BaseEmailBackend):
    error: Exception = RuntimeError()

    def send_messages(self, email_messages):
        raise self.error


def test_backend_transport_sends_headers_and_parts():
    transport = BackendTransport("django.core.mail.backends.locmem.EmailBackend")
    data = (
        b"From: a@x.example\r\nTo: b@y.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@x.example>\r\n"
        b'List-ID: <n.x.example>\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n"
        b"--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--b--\r\n"
    )

    result = Run(transport, [Outgoing(1, "a@x.example", "b@y.example", data)])

    assert result.outcomes == {1: Outcome.SENT}
    message = mail.outbox[0].message()
    assert mail.outbox[0].subject == "Grüße"
    assert (message["Message-ID"], message["List-ID"]) == ("<1@x.example>", "<n.x.example>")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]


def api_error(code: int) -> Exception:
    error = RuntimeError("provider")
    error.status_code = code
    return error


@pytest.mark.parametrize(
    ("error", "outcome", "kind"),
    [
        (smtplib.SMTPRecipientsRefused({"b@y.example": (550, b"no")}), Outcome.PERMANENT, None),
        (smtplib.SMTPDataError(451, b"later"), Outcome.TEMPORARY, None),
        (smtplib.SMTPDataError(454, b"Throttling"), Outcome.NOT_STARTED, FaultKind.THROTTLED),
        (smtplib.SMTPSenderRefused(550, b"no", "a@x.example"), Outcome.NOT_STARTED, FaultKind.SENDER),
        (smtplib.SMTPAuthenticationError(535, b"no"), Outcome.NOT_STARTED, FaultKind.LOGIN),
        (ConnectionRefusedError(), Outcome.NOT_STARTED, FaultKind.CONNECT),
        (api_error(429), Outcome.NOT_STARTED, FaultKind.THROTTLED),
        (api_error(401), Outcome.NOT_STARTED, FaultKind.LOGIN),
        (api_error(422), Outcome.PERMANENT, None),
        (api_error(502), Outcome.UNCONFIRMED, None),
        (TimeoutError(), Outcome.UNCONFIRMED, None),
    ],
)
def test_backend_transport_sorts_errors(error, outcome, kind, monkeypatch):
    monkeypatch.setattr(RaisingBackend, "error", error)

    result = Run(BackendTransport(f"{__name__}.RaisingBackend"), outgoing(1))

    assert result.outcomes == {1: outcome}
    assert (result.fault and result.fault.kind) == kind
