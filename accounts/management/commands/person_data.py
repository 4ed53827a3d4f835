"""Answer a person's request from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import people
from accounts.addresses import normalize_address
from accounts.models import Address


class Command(BaseCommand):
    """Exports or erases everything held about one person."""

    help = "Export (ZIP) or erase everything held about the person with an e-mail address."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and about whom."""
        parser.add_argument("action", choices=["export", "erase"])
        parser.add_argument("email")
        parser.add_argument("--output", type=Path, help="Where the ZIP goes; standard output when missing.")
        parser.add_argument("--dry-run", action="store_true", help="Erase nothing; count what would go.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the person and do it."""
        try:
            email = normalize_address(options["email"])
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        address = Address.objects.select_related("person").filter(email=email).first()
        if address is None:
            raise CommandError("Nothing is held about this address.")
        if options["action"] == "export":
            self._export(address, options["output"])
        elif options["dry_run"]:
            counts = {name: len(rows) for name, rows in people.export(address.person).items()}
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in counts.items()))
        else:
            people.erase(address.person, by=None, force=True)
            self.stdout.write("Erased.")

    def _export(self, address: Address, output: Path | None) -> None:
        data = people.export_zip(address.person)
        if output:
            output.write_bytes(data)
        else:
            sys.stdout.buffer.write(data)
