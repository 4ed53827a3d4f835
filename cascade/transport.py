"""The way out: one connection to a relay, and what its replies mean for a delivery.

A transport sends messages one after another and reports each with an :class:`Outcome`. It keeps three promises, on
which the engine's write-ahead window rests:

1. Before anything of a message may count as delivered, ``before_leaving(key)`` has returned.
2. For every key that ``before_leaving`` returned for, a :class:`Reply` is yielded before the next one starts, and
   before any error is raised. So after an error, a key without a reply has certainly not left.
3. ``UNCONFIRMED`` is reported when, and only when, the message may have been accepted without our knowing.

What is not the recipient's fault (no connection, TLS, password, throttling, a refused sender) raises
:class:`RelayFault`: the lane is held, and its people stay queued.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.utils import parseaddr
from enum import StrEnum
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

DOT_TIMEOUT = 600.0  # seconds; RFC 5321 4.5.3.2.6. A shorter one makes duplicates: the relay may yet accept.
CONNECT_TIMEOUT = 30.0
POLICY_REFUSALS = 3  # so many 5.7.x in a row are the relay's opinion of us and not of the recipients
DROPS_IN_A_ROW = 3  # a relay that cuts the line in every message must not make a whole wave unconfirmed


class Outcome(StrEnum):
    """What became of one message."""

    SENT = "sent"
    TEMPORARY = "temporary"  # refused for now; the person may be tried again later
    PERMANENT = "permanent"  # refused for good
    UNCONFIRMED = "unconfirmed"  # may have been accepted; never sent again by the machine
    NOT_STARTED = "not_started"  # certainly not accepted, and not the recipient's fault


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready to leave: ``data`` is RFC 5322 bytes with CRLF line ends; ``key`` is the caller's."""

    key: int
    sender: str
    recipient: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay said about one message. ``code`` is the SMTP or HTTP status, 0 if there was none."""

    key: int
    outcome: Outcome
    code: int = 0
    text: str = ""


class FaultKind(StrEnum):
    """Why a relay cannot be used now."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    THROTTLED = "throttled"
    SENDER = "sender"
    POLICY = "policy"
    DROPPED = "dropped"


@dataclass
class RelayFault(Exception):
    """The relay cannot be used now, whoever the recipient is.

    ``requeue`` are keys that were reported as refused but, seen together, were refused because of us.
    """

    kind: FaultKind
    code: int = 0
    text: str = ""
    requeue: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.code} {self.text}".strip()


BeforeLeaving = Callable[[int], None]


class Transport(Protocol):
    """Sends messages over one connection. Not safe for two threads at once."""

    def send(self, messages: Iterable[Outgoing], before_leaving: BeforeLeaving) -> Iterator[Reply]:
        """Send ``messages`` in order; see the promises at the top of this module.

        Raises: RelayFault, and whatever ``before_leaving`` raises (the message then has not left).
        """
        ...

    def close(self) -> None:
        """End the connection; never raises."""
        ...


def _text(raw: bytes | str) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return " ".join(text.split())[:300]


@dataclass
class _Refused(Exception):
    """The server refused an envelope at ``stage``."""

    stage: str
    code: int
    text: str


@dataclass
class SMTPTransport:
    """SMTP on a persistent connection, one round trip per message where the relay offers RFC 2920 pipelining.

    Connecting, TLS and authentication are ``smtplib``'s; the transaction is our own, because ``sendmail`` waits four
    round trips and raises where we need to sort replies. Timeouts are seconds.
    """

    host: str
    port: int = 25
    username: str = ""
    password: str = field(default="", repr=False)
    tls: str = ""  # "", "starttls" or "implicit"
    pipelining: bool = True
    dot_timeout: float = DOT_TIMEOUT
    connect_timeout: float = CONNECT_TIMEOUT
    local_hostname: str = ""
    _smtp: smtplib.SMTP | None = field(default=None, init=False, repr=False)
    _pipelined: bool = field(default=False, init=False)

    # --- sending --------------------------------------------------------------------------------------------------

    def send(self, messages: Iterable[Outgoing], before_leaving: BeforeLeaving) -> Iterator[Reply]:
        """See :class:`Transport`."""
        finished = False
        try:
            yield from self._send(iter(messages), before_leaving)
            finished = True
        finally:
            if not finished:
                self._drop()  # an envelope may be open: without its final dot nothing is accepted

    def _send(self, waiting: Iterator[Outgoing], before_leaving: BeforeLeaving) -> Iterator[Reply]:
        current = next(waiting, None)
        offered = False  # whether the envelope of ``current`` is already on its way
        refused_by_policy: list[int] = []
        drops = 0  # messages in a row during which the line was cut
        while current is not None:
            try:
                self._ensure_envelope(current, offered)
            except _Refused as refusal:
                _raise_if_fault(refusal)
                reply, offered = _refusal(current.key, refusal), False
                following = next(waiting, None)
                is_started = False
            else:
                following = next(waiting, None)
                before_leaving(current.key)
                reply, offered = self._finish(current, following)
                is_started = True
            if reply.outcome is Outcome.PERMANENT and _is_policy(reply.text):
                refused_by_policy.append(reply.key)
            elif reply.outcome is not Outcome.UNCONFIRMED:
                refused_by_policy.clear()
            was_cut = is_started and self._smtp is None and not _is_throttle(reply.code)
            drops = drops + 1 if was_cut else 0
            yield reply
            if len(refused_by_policy) >= POLICY_REFUSALS:
                raise RelayFault(FaultKind.POLICY, reply.code, reply.text, tuple(refused_by_policy))
            if reply.outcome is Outcome.NOT_STARTED and _is_throttle(reply.code):
                raise RelayFault(FaultKind.THROTTLED, reply.code, reply.text)
            if drops >= DROPS_IN_A_ROW:
                raise RelayFault(FaultKind.DROPPED, reply.code, reply.text)
            current = following

    def close(self) -> None:
        """See :class:`Transport`."""
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException, ValueError):
                cast(socket.socket, self._smtp.sock).settimeout(2)
                self._smtp.quit()
        self._drop()

    # --- one transaction ------------------------------------------------------------------------------------------

    def _ensure_envelope(self, message: Outgoing, offered: bool) -> None:
        """Bring ``message`` to the point where the relay waits for its body; reconnect once if the line was cut.

        Raises: _Refused, RelayFault.
        """
        for is_last_attempt in (False, True):
            fresh = self._smtp is None
            try:
                if fresh:
                    self._connect()
                    offered = False
                self._envelope(message, offered)
                return
            except _Refused as refusal:
                if refusal.code == 421:
                    self._drop()
                    # "Too many messages on this connection" is an invitation to open the next one.
                    if not fresh and not is_last_attempt:
                        offered = False
                        continue
                raise
            except (OSError, smtplib.SMTPException) as error:
                self._drop()
                if fresh or is_last_attempt:
                    raise RelayFault(FaultKind.CONNECT, text=_text(str(error))) from error
                offered = False

    def _envelope(self, message: Outgoing, offered: bool) -> None:
        smtp = self._connection
        commands = self._commands(message)
        if self._pipelined and not offered:
            smtp.send(b"".join(commands))
        replies: list[tuple[int, bytes]] = []
        for command in commands:
            if not self._pipelined:
                smtp.send(command)
            code, text = smtp.getreply()
            replies.append((code, text))
            if not _keeps_line(code) or (not self._pipelined and code >= 400):
                break  # nothing more will be said, or nothing more was asked
        for stage, (code, text), expected in zip(("MAIL", "RCPT", "DATA"), replies, (250, 250, 354), strict=False):
            if code == expected or (expected == 250 and 250 <= code <= 259):
                continue
            self._abandon_envelope(replies)
            raise _Refused(stage, code, _text(text))

    def _abandon_envelope(self, replies: list[tuple[int, bytes]]) -> None:
        """Leave the connection ready for another envelope after a refusal, or close it."""
        smtp = self._connection
        waits_for_body = len(replies) == 3 and replies[2][0] == 354
        if waits_for_body or not all(_keeps_line(code) for code, _ in replies):
            # RFC 2920 3.1 would end a DATA accepted without a recipient by a single dot. A sloppy relay might deliver
            # that as an empty message, so the line is cut instead.
            self._drop()
            return
        try:
            smtp.send(b"RSET\r\n")
            smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _finish(self, message: Outgoing, following: Outgoing | None) -> tuple[Reply, bool]:
        """Send the body and the final dot, with the next envelope behind it. Returns whether that was offered too."""
        smtp = self._connection
        body = message.data.replace(b"\r\n.", b"\r\n..")
        if body.startswith(b"."):
            body = b"." + body
        if not body.endswith(b"\r\n"):
            body += b"\r\n"
        try:
            smtp.send(body)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Reply(message.key, Outcome.NOT_STARTED, text=_text(str(error))), False
        offer = b"".join(self._commands(following)) if following is not None and self._pipelined else b""
        try:
            smtp.send(b".\r\n" + offer)
            code, raw = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Reply(message.key, Outcome.UNCONFIRMED, text=_text(str(error))), False
        text = _text(raw)
        if 200 <= code <= 299:
            return Reply(message.key, Outcome.SENT, code, text), bool(offer)
        if 400 <= code <= 499:
            if code == 421:
                self._drop()
            outcome = Outcome.NOT_STARTED if _is_throttle(code) else Outcome.TEMPORARY
            return Reply(message.key, outcome, code, text), bool(offer) and code != 421
        if 500 <= code <= 599:
            return Reply(message.key, Outcome.PERMANENT, code, text), bool(offer)
        self._drop()  # garbage: whether it was a yes or a no cannot be known
        return Reply(message.key, Outcome.UNCONFIRMED, max(code, 0), text), False

    def _commands(self, message: Outgoing) -> tuple[bytes, bytes, bytes]:
        return (
            b"MAIL FROM:<%s>\r\n" % _mailbox(message.sender),
            b"RCPT TO:<%s>\r\n" % _mailbox(message.recipient),
            b"DATA\r\n",
        )

    # --- connection -----------------------------------------------------------------------------------------------

    @property
    def _connection(self) -> smtplib.SMTP:
        assert self._smtp is not None
        return self._smtp

    def _connect(self) -> None:
        hostname = self.local_hostname or socket.gethostname()
        smtp: smtplib.SMTP | None = None
        try:
            if self.tls == "implicit":
                smtp = smtplib.SMTP_SSL(
                    local_hostname=hostname, timeout=self.connect_timeout, context=ssl.create_default_context()
                )
            else:
                smtp = smtplib.SMTP(local_hostname=hostname, timeout=self.connect_timeout)
            # smtplib checks the certificate against the host it was given at construction, and connects there, too:
            # set it apart so that an unfriendly greeting is ours to sort.
            smtp._host = self.host  # type: ignore[attr-defined]  # needed by starttls() for SNI
            code, text = smtp.connect(self.host, self.port)
            if code != 220:
                kind = FaultKind.THROTTLED if 400 <= code <= 499 else FaultKind.CONNECT
                raise RelayFault(kind, max(code, 0), _text(text))
            smtp.ehlo_or_helo_if_needed()
            if self.tls == "starttls":
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo_or_helo_if_needed()
            if self.username:
                smtp.login(self.username, self.password)
            sock = cast(socket.socket, smtp.sock)
            sock.settimeout(self.dot_timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except RelayFault:
            self._close_quietly(smtp)
            raise
        except ssl.SSLError as error:
            self._close_quietly(smtp)
            raise RelayFault(FaultKind.TLS, text=_text(str(error))) from error
        except smtplib.SMTPNotSupportedError as error:
            self._close_quietly(smtp)
            kind = FaultKind.TLS if self.tls == "starttls" else FaultKind.LOGIN
            raise RelayFault(kind, text=_text(str(error))) from error
        except smtplib.SMTPAuthenticationError as error:
            self._close_quietly(smtp)
            kind = FaultKind.THROTTLED if 400 <= error.smtp_code <= 499 else FaultKind.LOGIN
            raise RelayFault(kind, error.smtp_code, _text(error.smtp_error)) from error
        except smtplib.SMTPResponseException as error:
            self._close_quietly(smtp)
            raise RelayFault(FaultKind.CONNECT, error.smtp_code, _text(error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            self._close_quietly(smtp)
            raise RelayFault(FaultKind.CONNECT, text=_text(str(error))) from error
        self._smtp = smtp
        self._pipelined = self.pipelining and smtp.has_extn("pipelining")

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        self._close_quietly(smtp)

    @staticmethod
    def _close_quietly(smtp: smtplib.SMTP | None) -> None:
        if smtp is not None:
            with suppress(OSError):
                smtp.close()


def _mailbox(address: str) -> bytes:
    """The address for an SMTP command. What could end the command must never get this far.

    Raises: ValueError.
    """
    raw = address.encode("ascii")
    if not _ADDRESS.fullmatch(raw):
        raise ValueError(f"Not an address for SMTP: {address!r}")
    return raw


_ADDRESS = re.compile(rb"[!-;=?-~]*")  # printable, without space and angle brackets; empty for bounces


def _keeps_line(code: int) -> bool:
    """Whether the server goes on talking after this reply: 421 announces the end, garbage makes the rest unreadable."""
    return 200 <= code <= 599 and code != 421


def _is_throttle(code: int) -> bool:
    """421: the relay is closing or busy. 454: throttled (Amazon SES says it at the final dot)."""
    return code in {421, 454}


def _raise_if_fault(refusal: _Refused) -> None:
    """Raise RelayFault if ``refusal`` of an envelope is about us and not about the recipient."""
    code = refusal.code
    if not 400 <= code <= 599:
        kind = FaultKind.CONNECT
    elif code in {530, 534, 535, 538}:
        kind = FaultKind.LOGIN
    elif _is_throttle(code) or (refusal.stage == "MAIL" and code < 500):
        kind = FaultKind.THROTTLED
    elif refusal.stage == "MAIL":
        kind = FaultKind.SENDER
    else:
        return
    raise RelayFault(kind, code, refusal.text)


def _refusal(key: int, refusal: _Refused) -> Reply:
    outcome = Outcome.PERMANENT if refusal.code >= 500 else Outcome.TEMPORARY
    return Reply(key, outcome, refusal.code, refusal.text)


def _is_policy(text: str) -> bool:
    return text.startswith("5.7.")


# --- any Django e-mail backend ------------------------------------------------------------------------------------


@dataclass
class BackendTransport:
    """Sends through a Django e-mail backend, for example one of anymail's for a provider's API."""

    backend: str
    options: dict[str, Any] = field(default_factory=dict)
    _connection: BaseEmailBackend | None = field(default=None, init=False, repr=False)

    def send(self, messages: Iterable[Outgoing], before_leaving: BeforeLeaving) -> Iterator[Reply]:
        """See :class:`Transport`. One API call per message; batching would make half-sent batches unconfirmed."""
        if self._connection is None:
            self._connection = get_connection(self.backend, fail_silently=False, **self.options)
        unconfirmed = 0
        for outgoing in messages:
            message = email_message(outgoing)
            before_leaving(outgoing.key)
            reply, fault = self._send_one(outgoing.key, message)
            yield reply
            if fault is not None:
                raise fault
            unconfirmed = unconfirmed + 1 if reply.outcome is Outcome.UNCONFIRMED else 0
            if unconfirmed >= DROPS_IN_A_ROW:
                raise RelayFault(FaultKind.DROPPED, reply.code, reply.text)

    def close(self) -> None:
        """See :class:`Transport`."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None

    def _send_one(self, key: int, message: EmailMessage) -> tuple[Reply, RelayFault | None]:
        assert self._connection is not None
        try:
            accepted = self._connection.send_messages([message])
        except Exception as error:  # a backend may raise anything; what it means is decided in one place
            with suppress(Exception):
                self._connection.close()
            return _sort_backend_error(key, error)
        status = getattr(message, "anymail_status", None)
        refused = {"rejected", "failed", "invalid"} & (getattr(status, "status", None) or set())
        if refused:
            return Reply(key, Outcome.PERMANENT, text=", ".join(sorted(refused))), None
        if not accepted:
            return Reply(key, Outcome.UNCONFIRMED, text="the backend did not say whether it sent"), None
        return Reply(key, Outcome.SENT, 250, str(getattr(status, "message_id", "") or "")), None


def _sort_backend_error(key: int, error: Exception) -> tuple[Reply, RelayFault | None]:
    text = _text(str(error))
    code = int(getattr(error, "status_code", None) or getattr(error, "smtp_code", None) or 0)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    elif type(error).__name__ in {"AnymailRecipientsRefused", "AnymailInvalidAddress"}:
        return Reply(key, Outcome.PERMANENT, code, text), None
    elif _never_connected(error):
        return Reply(key, Outcome.NOT_STARTED, 0, text), RelayFault(FaultKind.CONNECT, 0, text)
    if isinstance(error, smtplib.SMTPAuthenticationError) or code in {401, 403}:
        return Reply(key, Outcome.NOT_STARTED, code, text), RelayFault(FaultKind.LOGIN, code, text)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Reply(key, Outcome.NOT_STARTED, code, text), RelayFault(FaultKind.SENDER, code, text)
    if isinstance(error, smtplib.SMTPException) and code:
        if _is_throttle(code):
            return Reply(key, Outcome.NOT_STARTED, code, text), RelayFault(FaultKind.THROTTLED, code, text)
        return Reply(key, Outcome.TEMPORARY if code < 500 else Outcome.PERMANENT, code, text), None
    if code == 429:
        return Reply(key, Outcome.NOT_STARTED, code, text), RelayFault(FaultKind.THROTTLED, code, text)
    if code in {400, 413, 422}:
        return Reply(key, Outcome.PERMANENT, code, text), None
    return Reply(key, Outcome.UNCONFIRMED, code, text), None


_NEVER_CONNECTED = {"NewConnectionError", "ConnectTimeoutError", "ConnectTimeout", "EndpointConnectionError"}


def _never_connected(error: BaseException | None) -> bool:
    """Whether the request cannot have reached the provider, going down the chain of causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, ConnectionRefusedError | socket.gaierror | smtplib.SMTPConnectError):
            return True
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if {type(error).__name__, type(reason).__name__} & _NEVER_CONNECTED:
            return True
        error = error.__cause__ or error.__context__
    return False


def email_message(outgoing: Outgoing) -> EmailMessage:
    """A Django message with the parts and headers of ``outgoing``, for backends that want objects and not bytes."""
    parsed = message_from_bytes(outgoing.data, policy=policy.default)
    plain, rich = parsed.get_body(("plain",)), parsed.get_body(("html",))
    structural = {"subject", "from", "to", "mime-version", "content-type", "content-transfer-encoding", "reply-to"}
    message = EmailMultiAlternatives(
        subject=str(parsed["Subject"] or ""),
        body=plain.get_content() if plain else "",
        from_email=str(parsed["From"] or outgoing.sender),
        to=[str(parsed["To"])] if parsed["To"] and parseaddr(str(parsed["To"]))[1] else [outgoing.recipient],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers={name: str(value) for name, value in parsed.items() if name.lower() not in structural},
    )
    if rich is not None:
        message.attach_alternative(rich.get_content(), "text/html")
    attachments = set(parsed.iter_attachments()) if parsed.get_content_type() == "multipart/mixed" else set()
    for part in parsed.walk():
        if part.is_multipart() or part in (plain, rich):
            continue
        content = cast(bytes, part.get_payload(decode=True))
        if part in attachments or part.get_filename():
            message.attach(part.get_filename(), content, part.get_content_type())
        else:
            message.attach_alternative(content.decode("utf-8", "replace"), part["Content-Type"])
    return message


def default_transport() -> Transport:
    """The way out that the settings name: CASCADE_MAIL_BACKEND (a Django backend, such as one of anymail's) or SMTP."""
    if backend := getattr(settings, "CASCADE_MAIL_BACKEND", ""):
        return BackendTransport(backend)
    return SMTPTransport(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        username=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        tls="implicit" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else "",
    )
