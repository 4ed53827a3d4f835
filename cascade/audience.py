"""Whom a wave mails: a choice over an organization's own network, kept as JSON on the hop and the wave."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Audience:
    """Resellers and people an organization wants to reach. Empty means all.

    Criteria of different kinds narrow each other (AND); values of one kind widen (OR). ``organizations`` picks
    resellers by id and then tags and countries are ignored; languages and functions still narrow the people.
    """

    tags: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    organizations: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As stored on ``Hop.audience`` and ``Wave.audience``; empty criteria are left out."""
        return {key: list(values) for key, values in asdict(self).items() if values}

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> Self:
        """The inverse of ``to_json``; unknown keys are ignored, so that old rows stay readable."""
        data = data or {}
        return cls(**{key: tuple(data.get(key, ())) for key in cls.__dataclass_fields__})

    @property
    def is_everyone(self) -> bool:
        """Whether nothing narrows it."""
        return not self.to_json()


@dataclass(frozen=True)
class AudienceCounts:
    """What an audience comes to: how many will get the item, and why some will not. Never says who else sends it."""

    resellers: int
    people: int
    excluded: dict[str, int]  # Exclusion value → people

    @property
    def excluded_total(self) -> int:
        """People the audience names who will not be mailed."""
        return sum(self.excluded.values())
