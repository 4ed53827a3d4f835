"""A fast SMTP server that accepts everything and writes down what it accepted, in a process of its own.

``python -m bench.sink LOG`` prints its port, then serves until it is terminated and prints its CPU seconds. The log has
one line per accepted message: recipient and Message-ID.
"""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import sys
from pathlib import Path
from typing import TextIO

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_EHLO = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 52428800\r\n"


class Session(asyncio.Protocol):
    """One connection; commands may come pipelined (RFC 2920)."""

    def __init__(self, log: TextIO) -> None:
        self.log = log
        self.buffer = bytearray()
        self.recipient = b""
        self.searched = -1  # how much of a body was searched for its end; -1: not in a body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = transport
        transport.write(b"220 sink\r\n")  # type: ignore[attr-defined]  # a socket's transport can write

    def data_received(self, data: bytes) -> None:
        """Take what is complete and answer it in one write."""
        self.buffer += data
        replies: list[bytes] = []
        while self._body(replies) if self.searched >= 0 else self._command(replies):
            pass
        if replies:
            self.transport.write(b"".join(replies))  # type: ignore[attr-defined]

    def _body(self, replies: list[bytes]) -> bool:
        end = self.buffer.find(b"\r\n.\r\n", max(0, self.searched - 4))
        if end < 0:
            self.searched = len(self.buffer)
            return False
        found = _MESSAGE_ID.search(self.buffer, 0, min(end, 4096))
        self.log.write(f"{self.recipient.decode()} {found[1].decode() if found else '-'}\n")
        del self.buffer[: end + 5]
        self.searched = -1
        replies.append(b"250 2.0.0 queued\r\n")
        return True

    def _command(self, replies: list[bytes]) -> bool:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        match line[:4].upper():
            case b"RCPT":
                self.recipient = line[9:-1]
                replies.append(b"250 2.1.5 ok\r\n")
            case b"DATA":
                self.searched = 0
                replies.append(b"354 go on\r\n")
            case b"EHLO":
                replies.append(_EHLO)
            case b"QUIT":
                replies.append(b"221 bye\r\n")
            case _:
                replies.append(b"250 2.0.0 ok\r\n")
        return True


async def serve(path: Path) -> None:
    """Serve on a free port of the loopback interface until SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    with path.open("w") as log:
        server = await loop.create_server(lambda: Session(log), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await stop.wait()
        server.close()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(usage.ru_utime + usage.ru_stime, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
