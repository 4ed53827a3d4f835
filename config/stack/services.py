"""Which processes the product is made of, and how each is started and found ready."""

import http.client
import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.stack.supervisor import Child

LOOPBACK = "127.0.0.1"
WEB_THREADS = 8
WORKER_THREADS = 4


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: not stopped by TIME_WAIT
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Stack:
    """The processes of one run. ``mail_port`` 0 means mail goes to the relay of EMAIL_URL and no mailbox runs."""

    var_dir: Path
    port: int
    mail_port: int
    base_url: str
    reload: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What every child is told beside the environment of this process."""
        told = {"VAR_DIR": str(self.var_dir), "PORT": str(self.port), "BASE_URL": self.base_url}
        if self.mail_port:
            told |= {"EMAIL_URL": f"smtp://{LOOPBACK}:{self.mail_port}", "MAILBOX_ENABLED": "1"}
        return told

    def children(self) -> list[Child]:
        """The mailbox, the worker with its beat, and the web server, in the order they are awaited."""
        run = self.var_dir / "run"
        run.mkdir(parents=True, exist_ok=True)
        worker_ready = run / "worker.ready"
        worker_ready.unlink(missing_ok=True)
        children = [
            self._child("worker", self._worker(run), worker_ready.exists, {"WORKER_READY_FILE": str(worker_ready)}),
            self._child("web", self._web(), self._answers),
        ]
        if self.mail_port:
            mailbox = ["-m", "config.mailbox.server", str(self.mail_port), str(self.var_dir / "mailbox")]
            children.insert(0, self._child("mailbox", [sys.executable, *mailbox], self._takes_mail))
        return children

    def _child(
        self, name: str, argv: list[str], is_ready: Callable[[], bool], more: dict[str, str] | None = None
    ) -> Child:
        log = self.var_dir / "log" / f"{name}.log"
        return Child(name, argv, is_ready, log, self.environment | (more or {}))

    def _worker(self, run: Path) -> list[str]:
        options = ["--pool", "threads", "--concurrency", str(WORKER_THREADS), "--beat", "--schedule", str(run / "beat")]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO"]
        return [sys.executable, "-m", "celery", "--app", "config", "worker", *options, *quiet]

    def _web(self) -> list[str]:
        if self.reload:
            return [sys.executable, "manage.py", "runserver", "--skip-checks", f"{LOOPBACK}:{self.port}"]
        options = ["--bind", f"{LOOPBACK}:{self.port}", "--workers", "1", "--threads", str(WEB_THREADS)]
        limits = ["--graceful-timeout", "5", "--timeout", "60", "--no-control-socket"]
        return [sys.executable, "-m", "gunicorn", "config.wsgi", *options, *limits]

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            return json.load(connection.getresponse()) == {"status": "ok"}
        except (OSError, ValueError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _takes_mail(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.mail_port), timeout=2) as connection:
                return connection.recv(4).startswith(b"220")
        except OSError:
            return False
