"""A real SMTP server in a thread that fails the way one tells it to."""

import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from time import sleep

CUT = "cut"  # close the connection instead of answering


@dataclass
class Received:
    sender: str
    recipient: str
    data: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)


@dataclass
class FaultySMTPServer:
    """Accepts everything unless ``answer(stage, recipient, nth)`` says otherwise.

    ``stage`` is CONNECT, EHLO, AUTH, MAIL, RCPT, DATA, BODY (mid-body: only CUT counts) or DOT; ``nth`` counts that
    stage from 1. It returns a reply line, CUT, ``None`` for the usual answer, or ``("accept", CUT)`` at the DOT: accept
    the message and then cut the line.
    """

    answer: Callable[[str, str, int], object] = lambda stage, recipient, nth: None
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
    delay_dot: float = 0
    byte_by_byte: bool = False
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> "FaultySMTPServer":
        self._counts: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._loop = threading.Thread(target=self._accept, daemon=True)
        self._loop.start()
        return self

    def __exit__(self, *args: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in [self._loop, *self._threads]:
            thread.join(5)

    @property
    def recipients(self) -> Counter[str]:
        return Counter(item.recipient for item in self.received)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError, _Cut):
            _Session(self, sock).run()

    def ask(self, stage: str, recipient: str = "") -> object:
        self._counts[stage] += 1
        return self.answer(stage, recipient, self._counts[stage])


class _Cut(Exception):
    pass


@dataclass
class _Session:
    server: FaultySMTPServer
    sock: socket.socket
    sender: str = ""
    recipient: str = ""

    def run(self) -> None:
        self.file = self.sock.makefile("rb")
        if not self.reply("CONNECT", "220 ready"):
            return
        while line := self.file.readline():
            command = line.decode("latin-1").strip()
            self.server.commands.append(command)
            verb = command[:4].upper()
            if verb in {"EHLO", "HELO"}:
                lines = ["hello", *self.server.extensions]
                self.reply(
                    "EHLO", "\r\n".join(f"250{'-' if i < len(lines) - 1 else ' '}{t}" for i, t in enumerate(lines))
                )
            elif verb == "AUTH":
                self.reply("AUTH", "235 2.7.0 welcome")
            elif verb == "MAIL":
                self.recipient = ""
                if self.reply("MAIL", "250 2.1.0 ok"):
                    self.sender = command[11:-1]
            elif verb == "RCPT":
                if self.reply("RCPT", "250 2.1.5 ok", command[9:-1]):
                    self.recipient = command[9:-1]
            elif verb == "DATA":
                if not self.recipient:
                    self.say("503 5.5.1 no recipient")
                elif self.reply("DATA", "354 go on", self.recipient):
                    self.body()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 2.0.0 ok")

    def body(self) -> None:
        if self.server.ask("BODY", self.recipient) == CUT:
            self.file.readline()
            raise _Cut
        data = b""
        while (line := self.file.readline()) not in {b".\r\n", b""}:
            data += line[1:] if line.startswith(b".") else line
        if not line:
            return
        sleep(self.server.delay_dot)
        decision = self.server.ask("DOT", self.recipient)
        received = Received(self.sender, self.recipient, data)
        if decision == ("accept", CUT):
            self.server.received.append(received)
            raise _Cut
        if decision is None or str(decision).startswith("2"):
            self.server.received.append(received)
        self.answer(decision, "250 2.0.0 queued")

    def reply(self, stage: str, usual: str, recipient: str = "") -> bool:
        """Answer as told; whether the answer was the usual one."""
        decision = self.server.ask(stage, recipient or self.recipient)
        self.answer(decision, usual)
        return decision is None

    def answer(self, decision: object, usual: str) -> None:
        if decision == CUT:
            raise _Cut
        self.say(usual if decision is None else str(decision))
        if str(decision).startswith("421"):
            raise _Cut

    def say(self, text: str) -> None:
        data = text.encode("latin-1") + b"\r\n"
        if self.server.byte_by_byte:
            for index in range(len(data)):
                self.sock.sendall(data[index : index + 1])
        else:
            self.sock.sendall(data)
