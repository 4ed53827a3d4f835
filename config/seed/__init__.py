"""The demo's world. ``manage.py seed_demo`` runs it; ``make demo`` runs that once and prints ``SIGN_INS``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

PASSWORD = "onward-demo"


@dataclass(frozen=True)
class SignIn:
    """One person of the demo that a visitor may be. ``path`` is where this person starts."""

    role: str
    email: str
    password: str = PASSWORD
    path: str = "/"


SIGN_INS: Sequence[SignIn] = ()


def seed(say: Callable[[str], None]) -> None:
    """Create the world; running it again changes nothing. ``say`` takes one line per step."""


def is_settled() -> bool:
    """Whether what the seed set in motion has come to rest: the first cascade has left the engine."""
    return True
