"""The demo's world. ``manage.py seed_demo`` runs it; ``make demo`` runs that once and prints ``SIGN_INS``."""

from __future__ import annotations

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


RESELLER_EMAIL = "robin@hansen-keller.example"

SIGN_INS: Sequence[SignIn] = (
    SignIn("Vendor marketer (Meridian)", "mira@meridian.example", path="/admin/"),
    SignIn("Distributor marketer (Nordlicht)", "anna@nordlicht.example"),
    SignIn("Another distributor (Vexis)", "sanne@vexis.example"),
    SignIn("Reseller (Hansen & Keller)", RESELLER_EMAIL),
)


def seed(say: Callable[[str], None], *, patience: float = 60.0) -> None:
    """Create the world; running it again changes nothing. ``say`` takes one line per step.

    Waits up to ``patience`` seconds for a worker to send the first cascade, so that people can have acted upon it.
    """
    from accounts.models import Organization  # deferred: the demo imports this module before the apps are ready
    from config.seed import world

    if not Organization.objects.filter(kind="vendor").exists():
        world.create(say, patience=patience)


def is_settled() -> bool:
    """Whether what the seed set in motion has come to rest: nothing is on its way through the engine."""
    from cascade.engine import is_idle  # deferred: as above

    return is_idle()
