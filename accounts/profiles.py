"""A person's own settings."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User


@transaction.atomic
def change(user: User, *, name: str, language: str, timezone: str) -> None:
    """Set name, language (code or empty) and timezone (tz name or empty) of ``user`` and their person."""
    user.name = name
    user.save(update_fields=["name"])
    person = user.person
    person.name, person.language, person.timezone = name, language, timezone
    person.save(update_fields=["name", "language", "timezone"])
