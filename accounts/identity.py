"""Which reseller of the installation a company in somebody's file is.

Same country, normalized name and e-mail domain (of their own, not a free mailer's): the same reseller, which then is
in several networks. Anything less becomes a reseller of its own, and a doubt on the vendor's list; a distributor never
learns whether a company was there before.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from accounts.enums import DoubtReason, DoubtState, OrganizationKind
from accounts.models import Organization, OrganizationDoubt, User
from accounts.names import normalize_company
from accounts.policies import NotAllowed


@dataclass(frozen=True)
class Identity:
    """What a file or form tells of a company; ``domain`` is empty when only free mailers are known."""

    country: str
    name: str
    domain: str = ""
    language: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What two companies must share to be the same without a doubt."""
        return self.country, normalize_company(self.name), self.domain


def obtain_resellers(identities: Sequence[Identity]) -> list[Organization]:
    """The reseller for each identity, created where none is surely the same; doubts are written for the vendor.

    Five statements at most, however many identities. Call it in a transaction.
    """
    if not identities:
        return []
    found = _surely_same(identities)
    # Without a domain each is new, even two of one name: their customer numbers told them apart.
    new = {identity.key: _new(identity) for identity in identities if identity.domain and identity.key not in found}
    alone = {index: _new(identity) for index, identity in enumerate(identities) if not identity.domain}
    rows = [*new.values(), *alone.values()]
    Organization.objects.bulk_create(rows, ignore_conflicts=True)  # somebody may create the same at this moment
    created = {row.slug: row for row in Organization.objects.filter(slug__in=[row.slug for row in rows])}
    _write_doubts(list(created.values()))
    found |= {key: created[row.slug] for key, row in new.items() if row.slug in created}
    if len(created) < len(rows):
        found |= _surely_same(identities)
    return [
        created[alone[index].slug] if index in alone else found[identity.key]
        for index, identity in enumerate(identities)
    ]


def _surely_same(identities: Sequence[Identity]) -> dict[tuple[str, str, str], Organization]:
    names = {identity.key[1] for identity in identities if identity.domain}
    known = Organization.objects.resellers().filter(match_name__in=names).exclude(match_domain="")
    return {(row.country, row.match_name, row.match_domain): row for row in known}


def _new(identity: Identity) -> Organization:
    country, match_name, domain = identity.key
    return Organization(
        kind=OrganizationKind.RESELLER,
        name=identity.name,
        slug=f"{slugify(match_name)[:60] or 'reseller'}-{secrets.token_hex(5)}",
        country=country,
        language=identity.language.partition("-")[0] or "en",
        match_name=match_name,
        match_domain=domain,
    )


def _write_doubts(created: Sequence[Organization]) -> None:
    names = {row.match_name for row in created}
    domains = {row.match_domain for row in created} - {""}
    others = list(
        Organization.objects.resellers().filter(Q(match_name__in=names) | Q(match_domain__in=domains)).order_by("pk")
    )
    doubts = {}
    for row in created:
        for other in others:
            if other.pk >= row.pk or other.country != row.country:
                continue
            if other.match_name == row.match_name:
                doubts[other.pk, row.pk] = DoubtReason.SAME_NAME
            elif row.match_domain and other.match_domain == row.match_domain:
                doubts[other.pk, row.pk] = DoubtReason.SAME_DOMAIN
    OrganizationDoubt.objects.bulk_create(
        (OrganizationDoubt(first_id=a, second_id=b, reason=reason) for (a, b), reason in doubts.items()),
        ignore_conflicts=True,
    )


def keep_apart(doubt: OrganizationDoubt, *, by: User) -> None:
    """Settle that the two are two. Raises NotAllowed unless ``by`` works for the vendor."""
    if not by.is_vendor:
        raise NotAllowed
    OrganizationDoubt.objects.filter(pk=doubt.pk, state=DoubtState.OPEN).update(
        state=DoubtState.APART, decided_at=timezone.now()
    )
