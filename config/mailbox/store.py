"""Keeps messages in a Maildir, with an index for listing and searching them. Loads nothing of Django."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE, received REAL NOT NULL, size INTEGER NOT NULL,
    sender TEXT NOT NULL, recipients TEXT NOT NULL, subject TEXT NOT NULL, author TEXT NOT NULL
)
"""
COLUMNS = "id, file, received, size, sender, recipients, subject, author"


@dataclass(frozen=True)
class Entry:
    """What the list shows of a message. ``sender`` and ``recipients`` are the envelope's, ``author`` is From."""

    id: int
    file: str
    received: float
    size: int
    sender: str
    recipients: str
    subject: str
    author: str

    @property
    def received_at(self) -> datetime:
        """When the server took it (UTC)."""
        return datetime.fromtimestamp(self.received, UTC)


class Mailbox:
    """A folder of messages: one process writes, any number read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index_path = folder / "index.sqlite3"

    def prepare(self) -> None:
        """Make the folders and the index; a lost index is read again from the messages."""
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        is_new = not self.index_path.exists()
        with self._index() as index:
            index.execute("PRAGMA journal_mode=WAL")
            index.execute(SCHEMA)
        if is_new:
            for path in sorted((self.folder / "new").iterdir()):
                self._add(path, path.read_bytes(), path.stat().st_mtime)

    def deliver(self, content: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Store one message as it came, under the two headers that final delivery adds (RFC 5321 section 4.4)."""
        envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
        raw = "".join(f"{line}\r\n" for line in envelope).encode() + content
        name = f"{time.time_ns()}.{os.getpid()}.onward"
        draft, final = self.folder / "tmp" / name, self.folder / "new" / name
        draft.write_bytes(raw)
        draft.rename(final)
        self._add(final, raw, time.time())

    def search(self, words: str = "", *, offset: int = 0, limit: int = 50) -> tuple[list[Entry], int]:
        """Messages whose subject, author or recipients contain every word, newest first, and how many there are."""
        terms = [f"%{word.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%" for word in words.split()]
        haystack = "subject || ' ' || author || ' ' || sender || ' ' || recipients"
        where = " AND ".join([f"({haystack}) LIKE ? ESCAPE '!'"] * len(terms)) or "1"
        if not self.index_path.exists():
            return [], 0
        with self._index() as index:
            (total,) = index.execute(f"SELECT count(*) FROM message WHERE {where}", terms).fetchone()
            rows = index.execute(
                f"SELECT {COLUMNS} FROM message WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?",
                [*terms, limit, offset],
            )
            return [Entry(*row) for row in rows], total

    def entry(self, number: int) -> Entry | None:
        """The entry with id ``number``."""
        if not self.index_path.exists():
            return None
        with self._index() as index:
            row = index.execute(f"SELECT {COLUMNS} FROM message WHERE id = ?", [number]).fetchone()
        return Entry(*row) if row else None

    def raw(self, entry: Entry) -> bytes:
        """The message's source, as stored."""
        return (self.folder / "new" / entry.file).read_bytes()

    def message(self, entry: Entry) -> EmailMessage:
        """The parsed message."""
        parsed = message_from_bytes(self.raw(entry), policy=policy.default)
        assert isinstance(parsed, EmailMessage)  # what policy.default makes
        return parsed

    def _add(self, path: Path, raw: bytes, received: float) -> None:
        headers = BytesHeaderParser(policy=policy.default).parsebytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        values = (
            path.name,
            received,
            len(raw),
            _header(headers, "Return-Path").strip("<>"),
            _header(headers, "Delivered-To"),
            _header(headers, "Subject"),
            _header(headers, "From"),
        )
        with self._index() as index:
            index.execute(
                "INSERT OR IGNORE INTO message (file, received, size, sender, recipients, subject, author)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.index_path, timeout=10)
        try:
            connection.execute("PRAGMA synchronous=OFF")  # it can be rebuilt
            with connection:
                yield connection
        finally:
            connection.close()


def _header(headers: Message, name: str) -> str:
    """Every header ``name`` as one line; empty when Python's parser gives up on it."""
    try:
        return ", ".join(" ".join(str(value).split()) for value in headers.get_all(name, []))
    except Exception:  # the parser raises whatever it stumbles over; a test mail server keeps the message all the same
        return ""
