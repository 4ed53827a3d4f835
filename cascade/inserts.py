"""One statement Django's ORM does not offer: insert what is new and say what that was.

The same text on PostgreSQL and SQLite. Under concurrency the database decides who was first, so that exactly one
writer learns that its row is new; ``bulk_create(ignore_conflicts=True)`` does not tell, ``get_or_create`` needs four
queries a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

MAX_PARAMETERS = 990  # SQLite's oldest limit is 999


def insert_new(objects: Sequence[models.Model], *, returning: str) -> list[Any]:
    """Insert ``objects`` (of one model, unsaved) that break no unique key; column ``returning`` of those written.

    Does not set primary keys, call ``save`` or send signals.
    """
    if not objects:
        return []
    meta = objects[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    result = quote(str(meta.get_field(returning).column))  # type: ignore[union-attr]
    size = MAX_PARAMETERS // len(fields)
    written: list[Any] = []
    with connection.cursor() as cursor:
        for start in range(0, len(objects), size):
            batch = objects[start : start + size]
            values = [
                field.get_db_prep_save(getattr(obj, field.attname), connection) for obj in batch for field in fields
            ]
            cursor.execute(
                f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {', '.join([row] * len(batch))} "
                f"ON CONFLICT DO NOTHING RETURNING {result}",
                values,
            )
            written += [value for (value,) in cursor.fetchall()]
    return written
