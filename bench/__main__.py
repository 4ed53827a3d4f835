"""Messages per second of one wave through the whole pipeline, next to Django's own sending in the same run.

Each database is measured in a process of its own, on a scratch database that is removed afterwards. The sink's log is
compared with our rows one by one, in every run: a fast engine that doubles or loses is worth nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

POSTGRESQL = os.environ.get("BENCH_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def main() -> int:
    """Run the measurements asked for; the exit code says whether every one was exact."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("-n", "--recipients", type=int, default=10_000)
    parser.add_argument("--django", type=int, default=300, metavar="N", help="messages through Django's send_messages")
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SMTP over loopback")
    ok = True
    if arguments.only != "postgresql":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            ok &= _measure("SQLite", f"sqlite:///{folder}/bench.sqlite3", folder, arguments)
    if arguments.only != "sqlite":
        ok &= _measure_postgresql(arguments)
    return 0 if ok else 1


def _measure_postgresql(arguments: argparse.Namespace) -> bool:
    import psycopg

    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=2)
    except psycopg.Error:
        print("\nPostgreSQL: not reachable, skipped (BENCH_POSTGRES_URL names another one)")
        return arguments.only != "postgresql"
    name = f"bench_{os.getpid()}"
    with connection, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            return _measure("PostgreSQL", f"{POSTGRESQL.rpartition('/')[0]}/{name}", folder, arguments)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _measure(title: str, url: str, folder: str, arguments: argparse.Namespace) -> bool:
    print(f"\n{title}: preparing {arguments.recipients:,} recipients …", flush=True)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": url,
        "VAR_DIR": folder,
    }
    command = [sys.executable, "-m", "bench.wave", str(arguments.recipients), str(arguments.django)]
    return subprocess.run(command, env=environment, check=False, cwd=Path(__file__).parents[1]).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
