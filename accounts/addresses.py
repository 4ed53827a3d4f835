"""E-mail addresses: one normal form everywhere, so that lookups, hashes and uniqueness agree."""

from __future__ import annotations

import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
FREE_MAILERS = frozenset(
    (
        "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com yahoo.de icloud.com me.com aol.com "
        + "gmx.de gmx.net gmx.at gmx.ch web.de t-online.de orange.fr wanadoo.fr free.fr laposte.net libero.it "
        + "protonmail.com proton.me qq.com 163.com 126.com naver.com mail.ru yandex.ru"
    ).split()
)


def normalize_address(raw: str) -> str:
    """``raw`` in the installation's one form: trimmed, NFC, lower case, domain as A-labels (RFC 5890).

    Raises ValidationError with a reason a person can act on: empty, several addresses, control characters, a
    non-ASCII local part (needs SMTPUTF8, which most relays refuse), too long, or not an address.
    """
    value = unicodedata.normalize("NFC", raw).strip().strip("<>").strip()
    if not value:
        raise ValidationError(_("No e-mail address."), code="empty")
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ValidationError(_("The address contains line breaks or control characters."), code="control")
    if value.count("@") > 1 and any(separator in value for separator in ";, "):
        raise ValidationError(_("Two addresses in one cell; give each its own row."), code="several")
    local, at, domain = value.rpartition("@")
    if not at or not local or not domain:
        raise ValidationError(_("“%(value)s” is not an e-mail address."), code="invalid", params={"value": value[:80]})
    if not local.isascii():
        raise ValidationError(
            _("The part before the @ may only use ASCII letters; most mail servers refuse others."), code="local_part"
        )
    try:
        domain = idna.encode(domain.lower(), uts46=True).decode()
    except idna.IDNAError as error:
        raise ValidationError(
            _("“%(domain)s” is not a domain name."), code="domain", params={"domain": domain[:80]}
        ) from error
    normalized = f"{local.lower()}@{domain}"
    if len(normalized) > MAX_LENGTH:
        raise ValidationError(_("The address is longer than 254 characters."), code="too_long")
    # Runs of dots and a dot at the end break RFC 5322, yet providers gave such addresses out and servers take them.
    plain = re.sub(r"\.{2,}", ".", local).removesuffix(".")
    try:
        validate_email(f"{plain}@{domain}")
    except ValidationError as error:
        raise ValidationError(
            _("“%(value)s” is not an e-mail address."), code="invalid", params={"value": value[:80]}
        ) from error
    return normalized


def company_domain(email: str) -> str:
    """The domain of a normalized address when it can stand for a company, else an empty string."""
    domain = email.rpartition("@")[2]
    return "" if domain in FREE_MAILERS else domain
