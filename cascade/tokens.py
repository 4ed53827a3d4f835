"""Addresses of pages that need no sign-in: an HMAC over a delivery and a purpose. Nothing is stored per link.

A token for one purpose opens no other: whoever was forwarded "read this" cannot unsubscribe the first reader. Whether a
token's purpose is over (recall, expiry) is decided by whoever reads it; unsubscribe, preferences and why never end.
"""

import base64
import hashlib
import hmac
from binascii import Error as NotBase64
from functools import lru_cache

from django.conf import settings
from django.db import models

_MAC_BYTES = 10  # 80 bits: forging one takes 2**79 guesses at the web server


class Purpose(models.TextChoices):
    """What the holder of a token may do."""

    VIEW = "view"  # the item in the browser
    ACT = "act"  # read, acknowledge, register: by POST only
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    WHY = "why"


def make(delivery_id: int, purpose: Purpose | str) -> str:
    """24 URL-safe characters that stand for ``delivery_id`` and ``purpose``."""
    raw = delivery_id.to_bytes(8, "big")
    return base64.urlsafe_b64encode(raw + _mac(settings.SECRET_KEY, str(purpose), raw)).decode()


def read(token: str, purpose: Purpose | str) -> int | None:
    """The delivery's id, or None for a token that is forged, cut, or made for another purpose.

    Tokens outlive a change of SECRET_KEY as long as the old key is in SECRET_KEY_FALLBACKS: an unsubscribe link must
    work for years.
    """
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (NotBase64, UnicodeEncodeError, ValueError):
        return None
    if len(raw) != 8 + _MAC_BYTES:
        return None
    data, mac = raw[:8], raw[8:]
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if hmac.compare_digest(mac, _mac(secret, str(purpose), data)):
            return int.from_bytes(data, "big")
    return None


def _mac(secret: str, purpose: str, data: bytes) -> bytes:
    return hmac.digest(_key(secret, purpose), data, "sha256")[:_MAC_BYTES]


@lru_cache(maxsize=64)
def _key(secret: str, purpose: str) -> bytes:
    return hashlib.sha256(f"cascade.tokens.{purpose}:{secret}".encode()).digest()
