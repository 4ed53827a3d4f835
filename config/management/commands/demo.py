"""``make demo`` and ``make dev``: prepare the database, start every process, say where to go, stop all on Ctrl-C."""

import fcntl
import os
import shutil
import time
from argparse import SUPPRESS
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import seed
from config.environment import port_number
from config.stack.services import Stack, free_port, is_free
from config.stack.supervisor import NotReady, StopRequested, Supervisor

MAIL_PORT = 1025  # taken when free, because people remember it
SETTLE_SECONDS = 90.0
# What a run leaves under VAR_DIR. FRESH=1 removes these and nothing else: VAR_DIR could be any folder.
LEFT_BEHIND = ("onward.sqlite3", "onward.sqlite3-wal", "onward.sqlite3-shm", "media", "mailbox", "broker", "run", "log")


class Command(BaseCommand):
    """Run the whole product in the foreground."""

    help = "Runs the whole product in the foreground, with a demo world; Ctrl-C stops it."
    requires_system_checks = []  # `make lint` ran them; here every second counts
    has_open_line = False

    def add_arguments(self, parser: CommandParser) -> None:
        """The port is a setting (PORT), because links in mails contain it."""
        fresh = os.environ.get("FRESH", "") not in {"", "0"}
        parser.add_argument("--fresh", action="store_true", default=fresh, help="start over (FRESH=1)")
        parser.add_argument("--no-seed", action="store_true", help="leave the database empty")
        parser.add_argument("--reload", action="store_true", help="development server that reloads changed code")
        parser.add_argument("--with-parent", action="store_true", help=SUPPRESS)  # the tests: end when they end

    def handle(self, *args: Any, fresh: bool, no_seed: bool, reload: bool, **options: Any) -> None:
        """Prepare, start, watch, stop. Raises: CommandError with what to do about it."""
        port = settings.PORT
        if settings.DEPLOYMENT not in {"demo", "development"}:
            raise CommandError(
                "Run this through `make demo` or `make dev`; docs/deploy.md tells how to run production."
            )
        if not is_free(port):
            raise CommandError(f"Port {port} is in use. Stop what listens there or choose another: PORT={port + 1}")
        parent = os.getppid() if options["with_parent"] else None
        with self.only_one_here(port):
            if fresh:
                self.start_over()
            stack = Stack(settings.VAR_DIR, port, self.mail_port(), settings.BASE_URL, reload)
            supervisor = Supervisor(stack.children(), parent)
            try:
                with supervisor.signals():
                    self.migrate()
                    if not reload:
                        self.collect_static()
                    supervisor.start()
                    self.fill(no_seed)
                    with self.step("Starting " + ", ".join(child.name for child in supervisor.children)):
                        supervisor.wait_ready()
                    self.settle(no_seed)
                    self.welcome(stack, no_seed)
                    supervisor.run()
            except StopRequested:
                self.say("\nStopping …")
            except NotReady as error:
                raise CommandError(f"{error}\n\nThe whole log is in {settings.VAR_DIR / 'log'}.") from error
            finally:
                supervisor.stop()
            self.say("Stopped.")

    # --- preparing ------------------------------------------------------------------------------------------------

    @contextmanager
    def only_one_here(self, port: int) -> Iterator[None]:
        """Hold a lock on VAR_DIR: two runs on one database and one broker folder would eat each other's messages."""
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        with (settings.VAR_DIR / "demo.lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CommandError(f"It already runs on this data{self.holder(lock)}; stop it first.") from error
            lock.truncate(0)
            lock.write(f"process {os.getpid()}, port {port}")
            lock.flush()
            yield

    def holder(self, lock: IO[str]) -> str:
        """Who holds the lock, in parentheses."""
        lock.seek(0)
        text = lock.read().strip()
        return f" ({text})" if text else ""

    def start_over(self) -> None:
        """Remove what earlier runs left. Raises: CommandError for a database that is not the demo's own file."""
        if connection.vendor != "sqlite":
            raise CommandError(
                "FRESH=1 starts over on the demo's own SQLite file; empty your database server yourself."
            )
        for name in LEFT_BEHIND:
            path = settings.VAR_DIR / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def mail_port(self) -> int:
        """The mailbox's port (MAIL_PORT), or 0 when the person named a relay of their own."""
        if os.environ.get("EMAIL_URL"):
            return 0
        if os.environ.get("MAIL_PORT"):
            return port_number("MAIL_PORT", default=MAIL_PORT)
        return MAIL_PORT if is_free(MAIL_PORT) else free_port()

    def migrate(self) -> None:
        """Bring the database up to date."""
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            with self.step(f"Migrating the database ({len(plan)} steps)"):
                call_command("migrate", interactive=False, verbosity=0)
        connection.close()

    def collect_static(self) -> None:
        """Collect the static files when one of ours or the packages changed."""
        stamp, current = Path(settings.STATIC_ROOT) / ".collected", self.static_fingerprint()
        if stamp.exists() and stamp.read_text() == current:
            return
        with self.step("Collecting static files"):
            call_command("collectstatic", interactive=False, verbosity=0, clear=True)
            stamp.write_text(current)

    def static_fingerprint(self) -> str:
        """Changes when a static file of ours or the lock of the packages does."""
        ours = [path.stat() for folder in settings.STATICFILES_DIRS for path in sorted(Path(folder).rglob("*"))]
        newest = max((stat.st_mtime_ns for stat in ours), default=0)
        return f"{len(ours)} {newest} {(settings.BASE_DIR / 'requirements.lock').stat().st_mtime_ns}"

    def fill(self, no_seed: bool) -> None:
        """Seed the demo's world, once."""
        stamp, database = settings.VAR_DIR / "run" / "seeded", str(connection.settings_dict["NAME"])
        if no_seed or (stamp.exists() and stamp.read_text() == database):
            return
        with self.step("Seeding the world"):
            seed.seed(lambda line: self.say(f"    {line}"))
            stamp.write_text(database)

    def settle(self, no_seed: bool) -> None:
        """Wait until the first cascade has gone through the engine, so that there is something to see."""
        if no_seed or seed.is_settled():
            return
        with self.step("Sending the first cascade"):
            deadline = time.monotonic() + SETTLE_SECONDS
            while not seed.is_settled() and time.monotonic() < deadline:
                time.sleep(0.2)

    # --- saying ---------------------------------------------------------------------------------------------------

    def say(self, text: str = "", ending: str = "\n") -> None:
        """Print at once, also into a pipe; a line that a step began is ended first."""
        if self.has_open_line:
            self.stdout.write()
        self.has_open_line = not ending
        self.stdout.write(text, ending=ending)
        self.stdout.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print what begins now, and behind it the seconds it took."""
        started = time.monotonic()
        self.say(f"  {name} … ", ending="")
        yield
        took = f"{time.monotonic() - started:.1f} s"
        if self.has_open_line:
            self.has_open_line = False
            self.say(took)
        else:
            self.say(f"  {name}: {took}")

    def welcome(self, stack: Stack, no_seed: bool) -> None:
        """Say where to go and as whom."""
        relay = f"goes to {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        people = () if no_seed else seed.SIGN_INS
        rows = [[person.role, person.email, person.password, f"{stack.base_url}{person.path}"] for person in people]
        rows.append(["Mail", f"{stack.base_url}/mailbox/" if stack.mail_port else relay])
        rows.append(["Data and logs", str(stack.var_dir)])
        widths = [max(len(row[column]) for row in rows if len(row) > column + 1) for column in range(len(rows[0]) - 1)]
        self.say()
        self.say(f"  Onward runs at {stack.base_url}/")
        self.say()
        for row in rows:
            self.say(
                "  " + "   ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=False)).rstrip()
            )
        self.say()
        self.say("  Ctrl-C stops it.")
