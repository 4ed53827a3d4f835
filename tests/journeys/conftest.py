"""The real product in a folder of its own, and a real browser to walk through it.

Environment: STACK_DATABASE_URL and STACK_BROKER_URL replace SQLite and the filesystem broker (CI: PostgreSQL, Redis);
CHROMIUM names the browser; REQUIRE_BROWSER=1 makes a missing browser a failure instead of a printed skip.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.mailbox.store import Entry, Mailbox
from config.stack.services import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs all journeys, because they share one stack; its start counts into the first one's time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("journeys"))
            item.add_marker(pytest.mark.stack)
            item.add_marker(pytest.mark.timeout(START_SECONDS * 2))
            if "browser" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.browser)


def wait_until(condition: Callable[[], Any], seconds: float = 30.0, what: str = "") -> Any:
    """The first truthy answer of ``condition``; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what or condition}"
        time.sleep(0.1)
    return found


@dataclass
class RunningStack:
    """The product as `make demo` runs it."""

    base_url: str
    var_dir: Path
    environment: dict[str, str]

    @property
    def mailbox(self) -> Mailbox:
        """The messages that the SMTP server took."""
        return Mailbox(self.var_dir / "mailbox")

    def wait_for_mail(self, words: str, count: int = 1, seconds: float = 60.0) -> list[Entry]:
        """The messages with all ``words`` in subject, sender or recipient, once there are at least ``count``."""

        def found() -> list[Entry]:
            entries, total = self.mailbox.search(words, limit=10_000)
            return entries if total >= count else []

        return wait_until(found, seconds, f"{count} messages with {words!r}")

    def manage(self, *arguments: str) -> str:
        """What ``manage.py`` prints when run beside the stack, on its database."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def log(self, name: str) -> str:
        """What process ``name`` (web, worker, mailbox) printed."""
        return (self.var_dir / "log" / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        """SIGKILL process ``name``; the supervisor restarts it."""
        pid_file = self.var_dir / "log" / f"{name}.pid"
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid_file.read_text() != str(pid), what=f"another {name}")


@pytest.fixture(scope="session")
def running_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Web server, worker, beat and SMTP server on free ports, with the demo's world; stopped at the end."""
    var_dir, port = tmp_path_factory.mktemp("stack"), free_port()
    own = {"DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "BASE_URL", "SECRET_KEY", "ADDRESS_HASH_KEY", "FRESH"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "config.settings.demo",
        "VAR_DIR": str(var_dir),
        "PORT": str(port),
        "MAIL_PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
    }
    for name in ("DATABASE_URL", "BROKER_URL"):
        if value := os.environ.get(f"STACK_{name}"):
            environment[{"BROKER_URL": "CELERY_BROKER_URL"}.get(name, name)] = value
    output = var_dir / "supervisor.log"
    with output.open("wb") as file:
        command = [sys.executable, "manage.py", "demo", "--with-parent"]
        supervisor = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)

    def is_up() -> bool:
        assert supervisor.poll() is None, f"The stack did not start:\n{output.read_text()}"
        return "Onward runs at" in output.read_text()

    try:
        wait_until(is_up, START_SECONDS, "the stack to start")
        relay = f"smtp://127.0.0.1:{environment['MAIL_PORT']}"
        base_url = f"http://localhost:{port}"
        yield RunningStack(base_url, var_dir, environment | {"EMAIL_URL": relay, "BASE_URL": base_url})
    finally:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(20)
        except subprocess.TimeoutExpired:
            supervisor.kill()  # its children notice
            supervisor.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; without one the test is skipped, or fails where REQUIRE_BROWSER is set."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        message = "no Chromium on this machine (CHROMIUM=/path/to/it names one)"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright  # deferred: half a second that most tests need not pay

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Any, running_stack: RunningStack) -> Iterator[Callable[..., Any]]:
    """Makes a page of a person of its own (own cookies): ``new_page(width=390)``.

    At the end no page may have had a script error or a violated content security policy.
    """
    contexts, complaints = [], []

    def listen(message: Any) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def make(width: int = 1280, height: int = 900) -> Any:
        context = browser.new_context(base_url=running_stack.base_url, viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", listen)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """One page, 1280 pixels wide."""
    return new_page()
