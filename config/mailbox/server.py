"""An SMTP server on the loopback address that keeps what it is given. Loads nothing of Django, so it starts at once.

``python -m config.mailbox.server PORT FOLDER``
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.mailbox.store import Mailbox

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BYTES = 40 * 1024 * 1024


class Handler:
    """What aiosmtpd asks us for."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING (RFC 2920): commands are read from a buffered stream and answered in order."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store the message and say so."""
        content = envelope.original_content or b""
        try:
            self.mailbox.deliver(content, envelope.mail_from or "", envelope.rcpt_tos)
        except OSError:
            logger.exception("mailbox.not_stored")
            return "452 4.3.1 The message could not be stored"
        return "250 2.0.0 Stored"


async def serve(port: int, folder: Path) -> None:
    """Take mail on ``port`` until SIGTERM or SIGINT."""
    mailbox = Mailbox(folder)
    mailbox.prepare()
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            Handler(mailbox),
            hostname="mailbox.localhost",
            ident="Onward mailbox",
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    server = await loop.create_server(session, HOST, port)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with server:
        logger.info("mailbox.ready port=%s folder=%s", port, folder)
        await stopped.wait()


def main(port: int, folder: Path) -> None:
    """Run the server in this process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's line per command
    asyncio.run(serve(port, folder))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
