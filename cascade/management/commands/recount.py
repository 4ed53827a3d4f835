"""Compare counters with the facts, and mend them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cascade import counters
from cascade.models import Hop


class Command(BaseCommand):
    """``recount`` mends, ``recount --check`` only reports and exits with 1 when something differs."""

    help = "Compare the counters of cascades with a recount of the facts, and mend those that differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--check`` changes nothing; ``--cascade`` takes one cascade instead of all."""
        parser.add_argument("--check", action="store_true", help="only report, change nothing")
        parser.add_argument("--cascade", type=int, metavar="ID", help="only the hops of this cascade")

    def handle(self, *args: Any, check: bool, cascade: int | None, **options: Any) -> None:
        """One line per counter that differs."""
        hops = Hop.objects.select_related("cascade", "organization").order_by("pk")
        if cascade is not None:
            hops = hops.filter(cascade=cascade)
        wrong = checked = 0
        for hop in hops.iterator(chunk_size=500):
            checked += 1
            found = counters.differences(hop) if check else counters.repair(hop)
            for name, (have, facts) in found.items():
                wrong += 1
                self.stdout.write(f"hop {hop.pk} ({hop}), {name}: {have}, should be {facts}")
        if wrong and check:
            raise CommandError(f"{wrong} counters differ from a recount; run `manage.py recount` to mend them.")
        self.stdout.write(f"{checked} hops recounted, {wrong} counters {'mended' if wrong else 'differ'}.")
