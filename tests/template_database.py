"""Migrates a test database once, not once per process and run: Wagtail's 190 migrations take longer than most tests.

The migrated database is kept in pytest's cache folder under a digest of everything that shapes it, and copied into the
memory of each process. Only for SQLite in memory; other databases migrate as usual.
"""

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3.creation import DatabaseCreation

ROOT = Path(__file__).parents[1]
SHAPED_BY = ("*/migrations/*.py", "accounts/groups.py", "*/receivers.py", "*/apps.py", "requirements.lock")
migrate_normally = DatabaseCreation.create_test_db


def digest() -> str:
    """Changes when the migrated database could be another one: migrations, packages, what runs after migrating."""
    parts = hashlib.sha256()
    for pattern in SHAPED_BY:
        for path in sorted(ROOT.glob(pattern)):
            parts.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return parts.hexdigest()[:24]


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one process at a time in."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(folder: Path) -> None:
    """Make Django's test databases from the template in ``folder``, or the template from the first of them."""
    template = folder / f"{digest()}.sqlite3"

    def create_test_db(self: DatabaseCreation, *args: Any, **kwargs: Any) -> str:
        name = self._get_test_db_name()
        if not self.is_in_memory_db(name):
            return migrate_normally(self, *args, **kwargs)
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder / "lock"):
            if not template.exists():
                return make_template(self, *args, **kwargs)
        with closing(sqlite3.connect(name, uri=True)) as memory:
            with closing(sqlite3.connect(template)) as source:
                source.backup(memory)
            # `memory` stays open until Django's own connection keeps the copy alive; nothing is left to migrate.
            return migrate_normally(self, *args, **kwargs)

    def make_template(self: DatabaseCreation, *args: Any, **kwargs: Any) -> str:
        name = migrate_normally(self, *args, **kwargs)
        for old in folder.glob("*.sqlite3"):
            old.unlink()
        draft = template.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(draft)) as target:
            self.connection.connection.backup(target)
        draft.rename(template)
        return name

    DatabaseCreation.create_test_db = create_test_db
