"""Recompute which access rules cover which page."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cms import access


class Command(BaseCommand):
    """Writes only what differs; with --check it writes nothing and fails when something does."""

    help = "Recompute which access rules cover which page (kept true on every change; this proves or repairs it)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="Change nothing; exit with 1 when rows are not true.")

    def handle(self, *args: Any, check: bool = False, verbosity: int = 1, **options: Any) -> None:
        """Compare or repair all pages."""
        if check:
            missing, wrong = access.differences()
            if missing or wrong:
                raise CommandError(f"{len(missing)} rows are missing and {len(wrong)} are wrong.")
        else:
            added, removed = access.rebuild()
            if verbosity:
                self.stdout.write(f"{added} rows added, {removed} removed.")
