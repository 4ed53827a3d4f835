"""A message compiled once per brand and language, into which each person's few values are put safely and fast.

Building an ``EmailMultiAlternatives`` costs about 7 ms per person; filling a compiled message costs about 0.02 ms.
It is safe by construction, whatever a value contains:

- In a body, every value starts at column 0 of a quoted-printable line and ends with a soft line break. So no line
  is longer than 76 columns (RFC 2045 6.7), no line begins with a dot (SMTP) or ``From`` (mbox), and no value can
  forge a boundary: ``=_`` never occurs in quoted-printable text.
- In a header, a value with a control character is refused, and a header that holds a value is encoded as a whole,
  because encoded-words must not touch other text (RFC 2047 5).
"""

import base64
import html
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.header import Header
from email.message import EmailMessage
from email.utils import quote
from enum import StrEnum
from typing import NoReturn

import idna

MAX_LINE = 998  # octets, RFC 5322 2.1.1
GMAIL_CLIP_BYTES = 102_000  # Gmail cuts HTML beyond this; the unsubscribe link would be in the cut part

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]")
_RAW_HEADER_VALUE = re.compile(r"[!-~]+")
# A value that needs no encoding at all: printable ASCII without "=", no dot or "From " in front, no space at its end.
_PLAIN = re.compile(rb"(?!\.)(?!From )[!-<>-~](?:[ -<>-~]{0,70}[!-<>-~])?")


class BadMessage(ValueError):
    """A header, value or part that must not enter a message; the text says which and why."""


class HeaderKind(StrEnum):
    """How the text of a header is encoded."""

    TEXT = "text"  # unstructured text such as Subject
    RAW = "raw"  # printable ASCII copied as it is: URLs, Message-ID; values may hold no space
    ADDRESS = "address"  # values ``name`` and ``email`` of one mailbox, quoted for RFC 5322


@dataclass(frozen=True)
class HeaderLine:
    """One header of the message; ``template`` may hold markers of :class:`Slots`.

    For ``ADDRESS`` the template is the display name, a line feed, and the e-mail address (see :func:`mailbox`).
    """

    name: str
    template: str
    kind: HeaderKind = HeaderKind.TEXT


@dataclass(frozen=True)
class Part:
    """A part that differs from person to person, for example a calendar invitation.

    Without ``filename`` it becomes the last alternative of the message (where mail clients look for
    ``text/calendar; method=REQUEST``), with ``filename`` an attachment.
    """

    content_type: str
    content: bytes
    filename: str = ""


@dataclass(frozen=True)
class Slots:
    """The markers that stand for a person's values while a mail is composed.

    A marker holds a nonce, so that text written by an author can never contain a live one, and consists of letters
    and digits only, so that it survives HTML escaping, URL encoding and MJML.
    """

    nonce: str = field(default_factory=lambda: secrets.token_hex(6))

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-f]{8,64}", self.nonce):
            raise BadMessage("The nonce of the slots must be 8 to 64 hexadecimal digits.")

    def __getitem__(self, name: str) -> str:
        """The marker for the value called ``name`` (lower-case ASCII letters)."""
        if not re.fullmatch(r"[a-z]+", name):
            raise BadMessage(f"Not a name for a slot: {name!r}")
        return f"zq{self.nonce}x{name}xqz"

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds markers; group 1 is the name."""
        return re.compile(rf"zq{self.nonce}x([a-z]+?)xqz")

    def fill(self, template: str, values: Mapping[str, str]) -> str:
        """Put ``values`` into ``template`` as they are: for plain text such as a preview of the subject."""
        return self.pattern.sub(lambda match: values[match[1]], template)

    def fill_html(self, template: str, values: Mapping[str, str]) -> str:
        """Put ``values`` into HTML, escaped: for the browser's preview of a message."""
        return self.pattern.sub(lambda match: html.escape(values[match[1]]), template)


def mailbox(name: str, email: str) -> str:
    """The template of an ``ADDRESS`` header: a display name and an address, either of which may be a marker."""
    return f"{name}\n{email}"


class CompiledMessage:
    """A multipart message in RFC 5322 bytes with gaps for the values of one person.

    Lines end with CRLF and none begins with a dot, so that the bytes are ready for SMTP's DATA.
    """

    def __init__(self, headers: Iterable[HeaderLine], *, text: str, html: str, slots: Slots) -> None:
        self._slots = slots
        # "=_" cannot occur in quoted-printable or base64 text, so no content can close a part.
        self._boundary = f"=_{secrets.token_hex(16)}"
        self._names: set[str] = set()
        self._headers: list[bytes | _HeaderSlot] = []
        seen: set[str] = set()
        for header in headers:
            if header.name.lower() in seen:
                raise BadMessage(f"The header {header.name} occurs twice.")
            seen.add(header.name.lower())
            self._add_header(header)
        self._text = self._compile_body(text)
        self._html = self._compile_body(html)

    @property
    def names(self) -> frozenset[str]:
        """The names of the values that :meth:`render` needs."""
        return frozenset(self._names)

    @property
    def html_size(self) -> int:
        """Bytes of the encoded HTML part without personal values; compare with ``GMAIL_CLIP_BYTES``."""
        return sum(len(piece) for piece in self._html if isinstance(piece, bytes))

    def render(self, values: Mapping[str, str], parts: Sequence[Part] = ()) -> bytes:
        """The message for one person.

        Raises: BadMessage if a value may not stand in a header, KeyError if a value is missing.
        """
        attachments = [part for part in parts if part.filename]
        alternatives = [part for part in parts if not part.filename]
        out = [piece if isinstance(piece, bytes) else piece.encode(values) for piece in self._headers]
        boundary = self._boundary.encode()
        outer = boundary + b".mixed"
        out.append(b"MIME-Version: 1.0\r\n")
        if attachments:
            out.append(b'Content-Type: multipart/mixed; boundary="' + outer + b'"\r\n\r\n--' + outer + b"\r\n")
        out.append(b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n')
        encoded: dict[str, bytes] = {}
        for subtype, body in ((b"plain", self._text), (b"html", self._html)):
            out.append(b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b'; charset="utf-8"\r\n')
            out.append(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
            is_html = subtype == b"html"
            encoded.clear()
            for piece in body:
                if isinstance(piece, bytes):
                    out.append(piece)
                    continue
                if piece not in encoded:
                    value = values[piece]
                    encoded[piece] = _quoted_printable_value(html.escape(value) if is_html else value)
                out.append(encoded[piece])
        for part in alternatives:
            out.append(b"--" + boundary + b"\r\n" + _part_bytes(part))
        out.append(b"--" + boundary + b"--\r\n")
        for part in attachments:
            out.append(b"--" + outer + b"\r\n" + _part_bytes(part))
        if attachments:
            out.append(b"--" + outer + b"--\r\n")
        return b"".join(out)

    def parse(self, values: Mapping[str, str], parts: Sequence[Part] = ()) -> EmailMessage:
        """Render and read again with Python's own parser: for the checks before a wave leaves, and for tests."""
        return message_from_bytes(self.render(values, parts), policy=policy.default)

    def _add_header(self, header: HeaderLine) -> None:
        if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", header.name):
            raise BadMessage(f"Not a header name: {header.name!r}")
        names = self._slots.pattern.findall(header.template)
        slot = _HeaderSlot(header, self._slots)
        if names:
            self._names.update(names)
            self._headers.append(slot)
        else:
            self._headers.append(slot.encode({}))

    def _compile_body(self, template: str) -> list[bytes | str]:
        """Literal quoted-printable bytes and, between them, the names of values."""
        pieces: list[bytes | str] = []
        template = template.replace("\r\n", "\n").replace("\r", "\n")
        position = 0
        for match in self._slots.pattern.finditer(template):
            literal = template[position : match.start()]
            if literal:
                pieces.append(quoted_printable(literal.encode()) + b"=\r\n")
            pieces.append(match[1])
            self._names.add(match[1])
            position = match.end()
        pieces.append(quoted_printable(template[position:].encode(), is_end=True) + b"\r\n")
        return pieces


@dataclass(frozen=True)
class _HeaderSlot:
    """A header line that is encoded per person."""

    header: HeaderLine
    slots: Slots

    def encode(self, values: Mapping[str, str]) -> bytes:
        name, template = self.header.name, self.header.template
        filled = self.slots.fill(template, values)
        match self.header.kind:
            case HeaderKind.ADDRESS:
                value = address_header(*filled.split("\n", 1)) if filled.count("\n") == 1 else _refuse(name, filled)
            case HeaderKind.RAW:
                for slot in self.slots.pattern.findall(template):
                    if not _RAW_HEADER_VALUE.fullmatch(values[slot]):
                        _refuse(name, values[slot])
                if _CONTROL.search(filled) or not filled.isascii() or len(name) + len(filled) > MAX_LINE - 2:
                    _refuse(name, filled)
                value = filled
            case _:
                value = text_header(name, filled)
        return f"{name}: {value}\r\n".encode("ascii")


def _refuse(name: str, value: str) -> NoReturn:
    raise BadMessage(f"This cannot stand in the header {name}: {value!r}")


def text_header(name: str, value: str) -> str:
    """Encode an unstructured header value, folded with CRLF.

    Raises: BadMessage on a control character: it is refused and never escaped.
    """
    if _CONTROL.search(value):
        _refuse(name, value)
    if value.isascii() and len(name) + 2 + len(value) <= MAX_LINE and "=?" not in value:
        return value
    return Header(value, "utf-8", maxlinelen=70, header_name=name).encode(linesep="\r\n")


def address_header(name: str, email: str) -> str:
    """One mailbox with its display name quoted as RFC 5322 wants it (``"Distributor B.V." <a@b.example>``)."""
    if _CONTROL.search(name):
        _refuse("of an address", name)
    email = ascii_address(email)
    if not name:
        return email
    if name.isascii() and len(name) + len(email) < 900 and "=?" not in name:
        return f'"{quote(name)}" <{email}>'
    return f"{Header(name, 'utf-8', maxlinelen=66).encode(linesep=chr(13) + chr(10))} <{email}>"


def ascii_address(email: str) -> str:
    """The form of an address for SMTP without SMTPUTF8: an internationalized domain in its ``xn--`` form.

    Raises: BadMessage for anything that is not one plain address.
    """
    local, at, domain = email.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise BadMessage(f"Not a domain: {domain!r}") from error
    address = f"{local}{at}{domain}"
    if not at or not local or not domain or len(address) > 320 or not re.fullmatch(r"[!-;=?-~]+", address):
        raise BadMessage(f"Not an e-mail address: {email!r}")
    return address


def quoted_printable(data: bytes, *, is_end: bool = False) -> bytes:
    """Encode as quoted-printable with CRLF line ends and lines short enough for a closing ``=``.

    ``is_end`` says that a real line end follows, before which a space has to be encoded.
    """
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    last = len(lines) - 1
    return b"\r\n".join(_encode_line(line, ends=is_end or index < last) for index, line in enumerate(lines))


_ENCODED = [
    bytes([code]) if (32 <= code <= 126 and code != 61) or code == 9 else b"=%02X" % code for code in range(256)
]


def _encode_line(line: bytes, *, ends: bool) -> bytes:
    out: list[bytes] = []
    column = 0
    for index, code in enumerate(line):
        piece = _ENCODED[code]
        if ends and index == len(line) - 1 and code in b" \t":
            piece = b"=%02X" % code
        if column + len(piece) > 75:  # leaves one column for "="
            out.append(b"=\r\n")
            column = 0
        if column == 0 and (code == 46 or (code == 70 and line.startswith(b"From ", index))):
            piece = b"=%02X" % code
        out.append(piece)
        column += len(piece)
    return b"".join(out)


def _quoted_printable_value(value: str) -> bytes:
    if not value:
        return b""
    data = value.encode("utf-8", "replace")
    return (data if _PLAIN.fullmatch(data) else quoted_printable(data)) + b"=\r\n"


def _part_bytes(part: Part) -> bytes:
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+(; *[\w-]+=(\"[\w .+-]*\"|[\w.+-]+))*", part.content_type):
        raise BadMessage(f"Not a content type: {part.content_type!r}")
    head = f"Content-Type: {part.content_type}\r\n"
    if part.filename:
        if not re.fullmatch(r"[\w. ()+-]{1,120}", part.filename, re.ASCII):
            raise BadMessage(f"Not a file name for an attachment: {part.filename!r}")
        head += f'Content-Disposition: attachment; filename="{part.filename}"\r\n'
    head += "Content-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(part.content).replace(b"\n", b"\r\n")
