"""The verbs of the vendor's own network: take a distributor in, sort it by tags, pause or end the relation."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit, invitations
from accounts.enums import LinkStatus, OrganizationKind, Role
from accounts.models import Brand, NetworkLink, Organization, User
from accounts.network import obtain_tags
from accounts.policies import NotAllowed, require


def vendor_of(by: User) -> Organization:
    """The vendor, if ``by`` manages it. Raises NotAllowed."""
    vendor = Organization.objects.filter(kind=OrganizationKind.VENDOR).first()
    if vendor is None:
        raise NotAllowed(_("This installation has no vendor yet."))
    require(by, "manage", vendor)
    return vendor


@transaction.atomic
def add_distributor(
    *,
    name: str,
    country: str = "",
    language: str = "en",
    timezone_name: str = "UTC",
    tags: Iterable[str] = (),
    owner_email: str = "",
    by: User,
) -> NetworkLink:
    """Create a distributor with an empty brand and an active link, and invite its first person, who becomes the owner.

    Raises NotAllowed; ValidationError for an unusable address (nothing is created then).
    """
    vendor = vendor_of(by)
    distributor = Organization.objects.create(
        kind=OrganizationKind.DISTRIBUTOR,
        name=name,
        slug=_free_slug(name),
        country=country,
        language=language,
        timezone=timezone_name,
    )
    Brand.objects.get_or_create(organization=distributor)
    link = NetworkLink.objects.create(upstream=vendor, downstream=distributor)
    set_tags(link, tags, by=by)
    audit.record("distributor.added", by=by, owner=vendor, obj=distributor)
    if owner_email:
        invitations.invite(distributor, owner_email, by=by, role=Role.OWNER)
    return link


@transaction.atomic
def set_tags(link: NetworkLink, tags: Iterable[str], *, by: User) -> None:
    """Give the vendor's link exactly these tags; new words become tags. Raises NotAllowed."""
    link.tags.set(obtain_tags(vendor_of(by), tags))


@transaction.atomic
def set_status(link: NetworkLink, status: LinkStatus, *, by: User) -> None:
    """Pause, resume (active) or end the relation; only an active link carries cascades. Raises NotAllowed."""
    vendor = vendor_of(by)
    link.status = status
    link.until = timezone.localdate() if status == LinkStatus.ENDED else None
    link.save(update_fields=["status", "until"])
    audit.record(f"distributor.{status}", by=by, owner=vendor, obj=link.downstream)


def _free_slug(name: str) -> str:
    base = slugify(name)[:70] or "distributor"
    taken = set(Organization.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(slug for slug in numbered if slug not in taken)
