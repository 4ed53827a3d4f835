"""Import a distributor's network from a file, through the verbs that the portal uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.enums import ConsentBasis, ImportState, RowOutcome
from accounts.imports import steps
from accounts.imports.problems import Finding
from accounts.imports.reading import Unreadable
from accounts.models import NetworkImport, Organization


class Command(BaseCommand):
    """``import_network FILE --owner SLUG --basis contract [--dry-run]``; columns are mapped by their headers."""

    help = "Import resellers and contacts of one distributor from a CSV or XLSX file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Describe the options."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--owner", required=True, help="Short name (slug) of the distributor.")
        parser.add_argument("--basis", required=True, choices=ConsentBasis.values, help="Why these people get mail.")
        parser.add_argument("--source", default="", help="Where the basis is recorded.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would happen and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Upload, check, print, and write unless told not to."""
        owner = Organization.objects.filter(slug=options["owner"]).first()
        if owner is None:
            raise CommandError(f"There is no organization “{options['owner']}”.")
        done = run(owner, options["file"], options["basis"], options["source"], dry_run=options["dry_run"])
        if done.state == ImportState.FAILED:
            raise CommandError(done.error)
        counts = ", ".join(f"{done.report.get(outcome, 0)} {outcome}" for outcome in RowOutcome.values)
        self.stdout.write(f"{done.filename}: {done.report.get('rows', 0)} rows: {counts}")
        refused = done.rows.filter(outcome=RowOutcome.REFUSED).order_by("number")
        for row in refused[: 20 if options["verbosity"] < 2 else None]:
            self.stdout.write(f"  row {row.number}: {' '.join(Finding.from_json(p).text for p in row.problems)}")
        if options["dry_run"]:
            steps.discard(done, by=None)


def run(owner: Organization, path: Path, basis: str, source: str, *, dry_run: bool) -> NetworkImport:
    """Take ``path`` through every step in this process. Raises CommandError for a file that cannot be read."""
    try:
        with path.open("rb") as file:
            network_import = steps.upload(owner, file, path.name, by=None)
    except (OSError, Unreadable) as error:
        raise CommandError(str(error)) from error
    steps.map_columns(
        network_import,
        network_import.columns,
        basis=basis,
        basis_source=source,
        default_country=owner.country,
        by=None,
    )
    steps.work(network_import.pk)
    network_import.refresh_from_db()
    if network_import.state == ImportState.CHECKED and not dry_run:
        steps.confirm(network_import, by=None)
        steps.work(network_import.pk)
        network_import.refresh_from_db()
    return network_import
