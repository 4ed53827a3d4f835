"""Starts the product's processes, waits until they are ready, restarts the dead, stops them all.

Production uses systemd or containers instead (docs/deploy.md). Every child leads a process group of its own, so that
Ctrl-C in a terminal reaches the supervisor only, and stopping a child takes along whatever it started.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.stack.tether import tethered

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 8.0  # what a child gets between "please stop" and being killed
READY_SECONDS = 90.0  # two busy cores and a cold disk included
STEADY_SECONDS = 60.0  # a child that lived this long begins again with the shortest back-off
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
TICK_SECONDS = 0.1


class StopRequested(Exception):
    """Somebody pressed Ctrl-C, closed the terminal or sent SIGTERM."""


class NotReady(Exception):
    """A child died or stayed silent while starting; the message ends with the last lines of its log."""


@dataclass
class Child:
    """One process of the product; ``log`` takes what it prints, and beside it a ``.pid`` file says which one it is."""

    name: str
    argv: Sequence[str]
    is_ready: Callable[[], bool]
    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0  # monotonic seconds, like all times here
    restart_at: float | None = None
    failures: int = 0
    log_position: int = 0  # bytes; where this start's part of the log begins

    def start(self) -> None:
        """Start the process in a group of its own, tethered to this one."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.log_position = output.tell()
            self.process = subprocess.Popen(
                tethered(self.argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                process_group=0,
            )
        self.started_at, self.restart_at = time.monotonic(), None
        self.log.with_suffix(".pid").write_text(str(self.process.pid))

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        """Send signal ``number`` to the process and all it started. Nothing there is no error."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)

    def last_lines(self, count: int = 15) -> str:
        """The end of what the process printed since its start."""
        with self.log.open("rb") as log:
            log.seek(self.log_position)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])

    def keep_alive(self) -> None:
        """Restart the process if it died, later each time it dies again soon after its start."""
        now = time.monotonic()
        if self.is_running:
            return
        if self.restart_at is None:
            self.send(signal.SIGKILL)  # what it left behind, a beat process for example
            self.failures = 0 if now - self.started_at > STEADY_SECONDS else self.failures + 1
            delay = BACKOFF_SECONDS[min(self.failures, len(BACKOFF_SECONDS)) - 1] if self.failures else 0
            self.restart_at = now + delay
            code = self.process.returncode if self.process else None
            logger.warning("child.died", extra={"child": self.name, "exit_code": code, "restart_in": delay})
        if now >= self.restart_at:
            self.start()
            logger.info("child.restarted", extra={"child": self.name})


class Supervisor:
    """Holds the children of one run."""

    def __init__(self, children: Sequence[Child], parent: int | None = None) -> None:
        self.children = children
        self.parent = parent  # stop when this process is gone
        self.is_stopping = False
        self.is_impatient = False

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Turn the stop signals into ``StopRequested``; a second one while stopping kills at once."""

        def handle(number: int, frame: FrameType | None) -> None:
            if self.is_stopping:
                self.is_impatient = True
                return
            self.is_stopping = True
            raise StopRequested

        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("The supervisor needs the main thread, which receives the signals.")
        before = {number: signal.signal(number, handle) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self) -> None:
        """Start every child, without waiting."""
        for child in self.children:
            child.start()

    def wait_ready(self) -> None:
        """Wait until every child is ready. Raises: NotReady."""
        deadline = time.monotonic() + READY_SECONDS
        for child in self.children:
            while not child.is_ready():
                if not child.is_running:
                    raise NotReady(f"{child.name} stopped while starting:\n{child.last_lines()}")
                if time.monotonic() > deadline:
                    raise NotReady(f"{child.name} was not ready in {READY_SECONDS:.0f} s:\n{child.last_lines()}")
                time.sleep(TICK_SECONDS)

    def run(self) -> None:
        """Keep the children alive until a stop is requested. Raises: StopRequested."""
        while self.parent is None or os.getppid() == self.parent:
            for child in self.children:
                child.keep_alive()
            time.sleep(TICK_SECONDS)
        raise StopRequested

    def stop(self) -> None:
        """Ask every child to stop, wait, then kill what is left. Nothing of this run lives afterwards."""
        self.is_stopping = True
        for child in self.children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and not self.is_impatient and any(c.is_running for c in self.children):
            time.sleep(TICK_SECONDS)
        for child in self.children:
            child.send(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
