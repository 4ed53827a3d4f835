"""Addresses of the pages that need no sign-in, for mails and for ``urls``."""

from __future__ import annotations

from cascade import tokens
from cascade.tokens import Purpose

# First letters only: a mail holds each address several times, and plain-text readers see them in full.
PREFIXES = {
    Purpose.VIEW: "m/v/",
    Purpose.ACT: "m/a/",
    Purpose.WHY: "m/w/",
    Purpose.UNSUBSCRIBE: "m/u/",
    Purpose.PREFERENCES: "m/p/",
}


def address(base_url: str, purpose: Purpose, token: str) -> str:
    """The absolute address of ``purpose`` for a token, or for the marker that stands for one."""
    return f"{base_url.rstrip('/')}/{PREFIXES[purpose]}{token}/"


def for_delivery(base_url: str, purpose: Purpose, delivery_id: int) -> str:
    """The absolute address of ``purpose`` for one delivery."""
    return address(base_url, purpose, tokens.make(delivery_id, purpose))
