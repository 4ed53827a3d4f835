"""``manage.py mailbox``: the demo's mail server alone, for a developer who runs the other processes by hand."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.mailbox.server import HOST, main


class Command(BaseCommand):
    """Take mail on the loopback address and keep it for the viewer at /mailbox/."""

    help = "Takes mail on the loopback address and keeps it for the viewer at /mailbox/."

    def add_arguments(self, parser: CommandParser) -> None:
        """The port; the folder is a setting because the viewer reads it too."""
        parser.add_argument("--port", type=int, default=settings.EMAIL_PORT, help="default: the port of EMAIL_URL")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        """Run until stopped. The system checks that run before refuse it in production."""
        self.stdout.write(f"Mail server on {HOST}:{port}, messages in {settings.MAILBOX_DIR}. Ctrl-C stops it.")
        main(port, settings.MAILBOX_DIR)
