"""A real worker is killed in the middle of a wave and started again, with a real broker, database and SMTP server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.cascade.smtp_server import FaultySMTPServer

ROOT = Path(__file__).parents[2]
PEOPLE = 2_000
PREPARE = f"""
import django
django.setup()
from bench.world import due_wave
due_wave({PEOPLE})
"""
REPORT = """
import django
django.setup()
from collections import Counter
from cascade import counters
from cascade.models import Delivery, Wave
wave = Wave.objects.get()
rows = Delivery.objects.filter(wave=wave)
print(wave.state, wave.frozen_count, len(counters.differences(wave.hop)))
for state, email in rows.values_list("state", "email"):
    print(state, email)
"""


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The address of an empty database of the kind the tests run on."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{folder}/drill.sqlite3"
        return
    settings, name = connection.settings_dict, f"drill_{os.getpid()}"
    server = {key: settings[key.upper()] or None for key in ("host", "port", "user", "password")}
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            password = f":{server['password']}" if server["password"] else ""
            yield f"postgres://{server['user']}{password}@{server['host']}:{server['port']}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def worker(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen]:
    """A Celery worker with its own beat; whatever is left of it is killed in the end."""
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "2", "-B"]
    with (folder / "worker.log").open("a") as log:
        process = subprocess.Popen(
            [*command, "-s", str(folder / "beat"), "-l", "WARNING"],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def run(code: str, environment: dict[str, str]) -> str:
    """Run Python code in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, capture_output=True, text=True
    )
    return done.stdout


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.mark.skipif(not os.environ.get("RUN_DRILLS"), reason="two minutes of kills: `make drill`, and CI")
@pytest.mark.stack
@pytest.mark.timeout(900)
def test_killed_worker_loses_nobody_and_doubles_nobody(tmp_path):
    with database(tmp_path) as url, FaultySMTPServer(delay_dot=0.002) as server:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DATABASE_URL": url,
            "VAR_DIR": str(tmp_path),
            "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
            "CELERY_BROKER_URL": "filesystem://",
            "LEASE_SECONDS": "8",  # what a killed worker held is free again sooner
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environment, cwd=ROOT, check=True)
        run(PREPARE, environment)

        for kill_at in (400, 1_100):
            with worker(environment, tmp_path) as process:
                wait_for(lambda at=kill_at: len(server.received) >= at or process.poll() is not None, 240)
                os.killpg(process.pid, signal.SIGKILL)
            assert len(server.received) < PEOPLE

        with worker(environment, tmp_path):
            wait_for(lambda: run(REPORT, environment).startswith("done"), 300)

        head, *rows = run(REPORT, environment).splitlines()
        found = dict(reversed(row.split()) for row in rows)

    assert head == f"done {PEOPLE} 0"
    assert len(found) == PEOPLE
    assert set(found.values()) <= {"sent", "unconfirmed"}
    assert max(server.recipients.values()) == 1
    unconfirmed = {email for email, state in found.items() if state == "unconfirmed"}
    assert set(server.recipients) | unconfirmed == set(found)
    assert {email for email, state in found.items() if state == "sent"} <= set(server.recipients)
    assert len(unconfirmed) <= 2  # one in the air for each kill: the journals of the dead are believed
