"""Readers of environment variables for the settings: each refuses a bad value and says what to do.

Nothing here reads Django's settings, so that the settings can import it.
"""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# scheme: (port, TLS from the first byte, STARTTLS after EHLO)
MAIL_SCHEMES = {
    "smtp": (25, False, False),
    "smtps": (465, True, False),
    "submission": (587, False, True),
    "smtp+starttls": (587, False, True),
}


def mail_settings(url: str) -> dict[str, Any]:
    """Django's ``EMAIL_*`` settings for a relay named by ``url``.

    ``smtp://host:1025`` is plain, ``smtps://user:password@host`` speaks TLS at once (port 465), and
    ``submission://user:password@host`` asks for STARTTLS (port 587). User and password are percent-encoded.

    Raises: ImproperlyConfigured with the reason when the address cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme not in MAIL_SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in MAIL_SCHEMES)
        raise ImproperlyConfigured(f"EMAIL_URL must start with one of {known}; got {parts.scheme or 'no scheme'!r}.")
    default_port, implicit_tls, starttls = MAIL_SCHEMES[parts.scheme]
    try:
        port = parts.port or default_port
    except ValueError as error:
        raise ImproperlyConfigured("EMAIL_URL has a port that is not a number between 1 and 65535.") from error
    if not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL names no host, for example smtp://relay.example:25.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ImproperlyConfigured("EMAIL_URL ends after the port; percent-encode special characters in the password.")
    if bool(parts.username) != bool(parts.password):
        raise ImproperlyConfigured("EMAIL_URL needs both a user and a password, or neither.")
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit_tls,
        "EMAIL_USE_TLS": starttls,
    }


def base_url(value: str) -> str:
    """``value`` without a trailing slash.

    Raises: ImproperlyConfigured unless it is http(s)://host[:port] with nothing behind.
    """
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(f"BASE_URL must look like https://portal.example.com; got {value!r}.")
    return value.rstrip("/")


def port_number(name: str, *, default: int) -> int:
    """The port in environment variable ``name``. Raises: ImproperlyConfigured unless it is one (1 to 65535)."""
    value = os.environ.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        raise ImproperlyConfigured(f"{name} must be a number between 1 and 65535; got {value!r}.")
    return int(value)


def required_secret(name: str, *, at_least: int = 50) -> str:
    """The secret in environment variable ``name``.

    Raises: ImproperlyConfigured if it is missing, shorter than ``at_least`` characters, or too easy to guess.
    """
    value = os.environ.get(name, "")
    how = f"Set it once, for example with: {name}=$(python3 -c 'import secrets; print(secrets.token_urlsafe(64))')"
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {how}")
    if len(value) < at_least or len(set(value)) < 5:
        raise ImproperlyConfigured(f"{name} must be a random value of at least {at_least} characters. {how}")
    return value


def generated_secrets(path: Path, names: list[str]) -> dict[str, str]:
    """Secrets kept in ``path``, made on first use and readable by their owner only.

    For the demo and a developer's desk. Processes that start together agree: the first one writes.
    """
    if path.exists():
        return json.loads(path.read_text())
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {name: secrets.token_urlsafe(64) for name in names}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(made, file)
    with contextlib.suppress(FileExistsError):  # another process was first; linking is atomic
        os.link(draft, path)
    draft.unlink()
    return json.loads(path.read_text())
