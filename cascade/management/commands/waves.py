"""See and steer sendings from a shell: what is under way, why it stands still, stop it, go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone

from accounts.models import User
from accounts.policies import NotAllowed
from cascade import engine, lanes, waves
from cascade.delivery import tally
from cascade.enums import LIVE_WAVE_STATES, ChunkState
from cascade.hops import NotPossible
from cascade.models import Chunk, Lane, OutboxMessage, Wave

VERBS: dict[str, Callable[[Wave, User], Wave]] = {
    "pause": lambda wave, by: waves.pause(wave, by),
    "resume": lambda wave, by: waves.resume(wave, by),
    "cancel": lambda wave, by: waves.cancel(wave, by),
}


class Command(BaseCommand):
    """``waves list``, ``waves explain ID``, ``waves pause|resume|cancel ID --by EMAIL``, ``waves work``."""

    help = "List sendings, explain why one stands still, pause, resume or cancel it, or work everything off here."

    def add_arguments(self, parser: CommandParser) -> None:
        """One verb, and the wave it is about."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        listing = verbs.add_parser("list", help="sendings that are under way, and lanes")
        listing.add_argument("--all", action="store_true", help="those that are over, too")
        verbs.add_parser("explain", help="where a sending stands and why").add_argument("wave", type=int)
        for verb in VERBS:
            changing = verbs.add_parser(verb, help=f"{verb} a sending")
            changing.add_argument("wave", type=int)
            changing.add_argument("--by", required=True, metavar="EMAIL", help="who does it, for the ledger")
            changing.add_argument("--dry-run", action="store_true", help="say what would be done")
        verbs.add_parser("work", help="sweep and send in this process until nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Call the verb."""
        match options["verb"]:
            case "list":
                self.list(every=options["all"])
            case "explain":
                self.explain(self.wave(options["wave"]))
            case "work":
                self.stdout.write(f"{engine.work_off()} messages left")
            case verb:
                self.change(verb, self.wave(options["wave"]), options["by"], is_dry=options["dry_run"])

    def wave(self, pk: int) -> Wave:
        """The wave with this id."""
        wave = Wave.objects.select_related("hop__cascade", "hop__organization").filter(pk=pk).first()
        if wave is None:
            raise CommandError(f"There is no sending {pk}.")
        return wave

    def list(self, *, every: bool) -> None:
        """One line per wave, one per lane, one for the outbox."""
        found = Wave.objects.select_related("hop__cascade", "hop__organization").order_by("pk")
        if not every:
            found = found.filter(state__in=LIVE_WAVE_STATES)
        for wave in found:
            progress = waves.progress(wave)
            self.stdout.write(
                f"{wave.pk:>6}  {wave.state:<9} {progress.percent:>3}%  {progress.settled:,}/{progress.total:,}"
                f"  {wave.hop.organization} · {wave.hop.cascade} ({wave.kind})"
            )
        for lane in Lane.objects.order_by("name"):
            state = "open" if lanes.is_open(lane) else f"held until {lane.held_until:%H:%M:%S}: {lane.held_because}"
            ready = lane.chunks.filter(state=ChunkState.READY).count()
            self.stdout.write(f"  lane {lane.name}: {state}, {ready} chunks ready")
        counts = OutboxMessage.objects.order_by().values_list("state").annotate(n=Count("pk"))
        outbox = ", ".join(f"{n} {state}" for state, n in sorted(counts)) or "empty"
        self.stdout.write(f"  outbox: {outbox}")

    def explain(self, wave: Wave) -> None:
        """Where a wave stands, down to leases."""
        progress = waves.progress(wave)
        self.stdout.write(f"{wave.hop.organization} · {wave.hop.cascade} ({wave.kind}): {wave.state}")
        for label, value in (
            ("scheduled", wave.scheduled_at),
            ("frozen", wave.frozen_at),
            ("started", wave.started_at),
            ("finished", wave.finished_at),
            ("people", wave.frozen_count),
            ("as its sender sees it", tally(wave.deliveries.all()) or None),
            ("stopped because", wave.stopped_because),
            ("held because", progress.held_because),
        ):
            if value not in (None, ""):
                self.stdout.write(f"  {label}: {value}")
        for chunk in Chunk.objects.filter(wave=wave).exclude(state=ChunkState.DONE).order_by("number"):
            lease = ""
            if chunk.state == ChunkState.LEASED and chunk.lease_until:
                left = (chunk.lease_until - timezone.now()).total_seconds()
                lease = f" by {chunk.owner}, epoch {chunk.epoch}, {left:.0f} s left"
            self.stdout.write(f"  chunk {chunk.number}: {chunk.state}{lease}, {chunk.size} people in {chunk.language}")

    def change(self, verb: str, wave: Wave, email: str, *, is_dry: bool) -> None:
        """Pause, resume or cancel as one of the organization's people."""
        by = User.objects.filter(email__iexact=email).first()
        if by is None:
            raise CommandError(f"Nobody signs in as {email}.")
        if is_dry:
            self.stdout.write(f"would {verb} {wave.pk} ({wave.state}) as {by}")
            return
        try:
            changed = VERBS[verb](wave, by)
        except (NotAllowed, NotPossible) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{changed.pk}: {changed.state}")
