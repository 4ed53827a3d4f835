"""The network by hand: resellers as one distributor knows them, their state, tags and contacts.

What is written here is only what this upstream thinks; the reseller's own row, and what others know of it, stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, consent
from accounts.addresses import normalize_address
from accounts.enums import LinkStatus, OrganizationKind, SuppressionReason, SuppressionScope
from accounts.identity import Identity, obtain_resellers
from accounts.models import Address, Consent, Contact, NetworkLink, NetworkTag, Organization, Suppression, User
from accounts.names import normalize_company
from accounts.policies import NotAllowed, require

LINK_FIELDS = (
    "name_as_known",
    "city",
    "segment",
    "customer_number",
    "territory",
    "product_lines",
    "is_preferred",
)


class AlreadyThere(Exception):
    """The owner already has this reseller, contact or tag; ``row`` is it."""

    def __init__(self, message: str, row: Any = None) -> None:
        super().__init__(message)
        self.row = row


# --- resellers ---------------------------------------------------------------------------------------------------
@transaction.atomic
def add_reseller(
    owner: Organization, *, name: str, country: str, domain: str = "", tags: Iterable[str] = (), by: User, **known: Any
) -> NetworkLink:
    """Take a reseller into ``owner``'s network; ``known`` are fields of the link, ``domain`` its e-mail domain.

    Whether the reseller was in the installation before makes no difference to anything the owner sees.
    Raises NotAllowed; AlreadyThere with the link when the owner's own network has it.
    """
    _require(by, owner)
    same = NetworkLink.objects.filter(
        upstream=owner, match_name=normalize_company(name), downstream__country=country
    ).filter(city__iexact=known.get("city", ""))
    if existing := same.select_related("downstream", "upstream").first():
        raise AlreadyThere(_("This reseller is in your network already."), existing)
    reseller = obtain_resellers([Identity(country, name, domain, owner.language)])[0]
    link, is_new = NetworkLink.objects.get_or_create(
        upstream=owner, downstream=reseller, defaults={**known, "name_as_known": name, "match_domain": domain}
    )
    if not is_new:
        raise AlreadyThere(_("This reseller is in your network already."), link)
    set_tags(link, tags, by=by)
    audit.record("reseller.added", by=by, owner=owner, obj=link)
    return link


@transaction.atomic
def edit_reseller(link: NetworkLink, values: dict[str, Any], *, tags: Iterable[str] | None = None, by: User) -> None:
    """Change what the upstream knows of the reseller (fields of LINK_FIELDS, others are ignored). Raises NotAllowed."""
    _require(by, link.upstream)
    changed = [name for name in LINK_FIELDS if name in values and values[name] != getattr(link, name)]
    for name in changed:
        setattr(link, name, values[name])
    link.save(update_fields=changed or None)
    if tags is not None:
        set_tags(link, tags, by=by)
    if changed:
        audit.record("reseller.changed", by=by, owner=link.upstream, obj=link, fields=changed)


@transaction.atomic
def set_status(links: Sequence[NetworkLink], status: LinkStatus, *, by: User) -> int:
    """Pause, resume (active) or end relations of one upstream; those in that state already stay. Returns how many.

    Only an active link carries cascades; an ended one keeps its date and its history. Raises NotAllowed.
    """
    for owner in {link.upstream for link in links}:
        _require(by, owner)
    until = timezone.localdate() if status == LinkStatus.ENDED else None
    moved = sum(
        NetworkLink.objects.filter(pk__in=pks).exclude(status=status).update(status=status, until=until)
        for pks in _batches([link.pk for link in links])
    )
    if moved:
        audit.record(f"reseller.{status}", by=by, owner=links[0].upstream, count=moved)
    return moved


# --- tags --------------------------------------------------------------------------------------------------------
@transaction.atomic
def set_tags(link: NetworkLink, names: Iterable[str], *, by: User) -> None:
    """Give the reseller exactly these tags; unknown ones are created. Raises NotAllowed."""
    _require(by, link.upstream)
    link.tags.set(obtain_tags(link.upstream, names))


@transaction.atomic
def tag(links: Sequence[NetworkLink], name: str, *, by: User) -> int:
    """Add one tag to resellers of one upstream; returns how many got it. Raises NotAllowed."""
    return _bulk_tag(links, name, by, is_added=True)


@transaction.atomic
def untag(links: Sequence[NetworkLink], name: str, *, by: User) -> int:
    """Take one tag off resellers of one upstream; returns how many lost it. Raises NotAllowed."""
    return _bulk_tag(links, name, by, is_added=False)


def _bulk_tag(links: Sequence[NetworkLink], name: str, by: User, *, is_added: bool) -> int:
    if not links:
        return 0
    owner = links[0].upstream
    _require(by, owner)
    row = obtain_tags(owner, [name])[0]
    ids = [link.pk for link in links if link.upstream_id == owner.pk]
    has = set(row.links.values_list("pk", flat=True))
    if is_added:
        changed = [pk for pk in ids if pk not in has]
        for pks in _batches(changed):
            row.links.add(*pks)
    else:
        changed = [pk for pk in ids if pk in has]
        for pks in _batches(changed):
            row.links.remove(*pks)
    if changed:
        audit.record("tag.added" if is_added else "tag.removed", by=by, owner=owner, obj=row, count=len(changed))
    return len(changed)


def obtain_tags(owner: Organization, names: Iterable[str]) -> list[NetworkTag]:
    """The owner's tags of these names, whatever their case; unknown ones are created."""
    wanted: dict[str, str] = {}
    for name in (" ".join(name.split())[:60] for name in names):
        wanted.setdefault(name.casefold(), name)  # of two spellings the first
    wanted.pop("", None)
    known = {tag.name.casefold(): tag for tag in NetworkTag.objects.filter(owner=owner)}
    return [known.get(key) or NetworkTag.objects.create(owner=owner, name=name) for key, name in wanted.items()]


def add_tag(owner: Organization, name: str, *, by: User) -> NetworkTag:
    """A tag of this name, whatever its case; made if there was none. Raises NotAllowed."""
    _require(by, owner)
    return obtain_tags(owner, [name])[0]


def rename_tag(renamed: NetworkTag, name: str, *, by: User) -> None:
    """Give a tag another name. Raises NotAllowed; AlreadyThere when the owner has such a tag."""
    _require(by, renamed.owner)
    renamed.name = name
    try:
        with transaction.atomic():
            renamed.save(update_fields=["name"])
    except IntegrityError as error:
        raise AlreadyThere(_("You have a tag of this name already.")) from error


def delete_tag(unwanted: NetworkTag, *, by: User) -> None:
    """Remove a tag from everything that has it. Raises NotAllowed."""
    _require(by, unwanted.owner)
    audit.record("tag.deleted", by=by, owner=unwanted.owner, obj=unwanted)
    unwanted.delete()


# --- contacts ----------------------------------------------------------------------------------------------------
@transaction.atomic
def add_contact(
    link: NetworkLink, *, email: str, name: str, function: str, language: str, basis: str, source: str, by: User
) -> Contact:
    """A person at this reseller, as the upstream knows them, and why they may be mailed.

    Lifts no suppression. Raises NotAllowed, ValidationError for an unusable address, AlreadyThere.
    """
    _require(by, link.upstream)
    email = normalize_address(email)
    known = Contact.objects.filter(owner=link.upstream, organization=link.downstream, address__email=email)
    if existing := known.first():
        raise AlreadyThere(_("This person is a contact of this reseller already."), existing)
    contact = Contact.objects.create(
        owner=link.upstream,
        organization=link.downstream,
        address=Address.objects.obtain(email),
        name=name,
        function=function,
        language=language,
    )
    consent.record(contact.address, link.upstream, basis, source=source or _("Entered by hand"), by=by)
    audit.record("contact.added", by=by, owner=link.upstream, obj=contact)
    return contact


def edit_contact(contact: Contact, *, name: str, function: str, language: str, by: User) -> None:
    """Change how the owner knows this person; the address stays, because consent belongs to it. Raises NotAllowed."""
    _require(by, contact.owner)
    contact.name, contact.function, contact.language = name, function, language
    contact.save(update_fields=["name", "function", "language"])
    audit.record("contact.changed", by=by, owner=contact.owner, obj=contact)


def set_contact_active(contact: Contact, is_active: bool, *, by: User) -> None:
    """Switch a contact off, so that no audience has it, or on again. Raises NotAllowed."""
    _require(by, contact.owner)
    contact.is_active = is_active
    contact.save(update_fields=["is_active"])
    audit.record("contact.on" if is_active else "contact.off", by=by, owner=contact.owner, obj=contact)


def delete_contact(contact: Contact, *, by: User) -> None:
    """Forget how the owner knows this person. Past deliveries keep their snapshot; a refusal outlives it."""
    _require(by, contact.owner)
    audit.record("contact.deleted", by=by, owner=contact.owner, obj=contact)
    contact.delete()


def record_basis(contact: Contact, basis: str, source: str, *, by: User) -> None:
    """Note why this person may be mailed, where nothing was noted; an earlier basis stands. Raises NotAllowed."""
    _require(by, contact.owner)
    consent.record(contact.address, contact.owner, basis, source=source, by=by)
    audit.record("contact.basis_recorded", by=by, owner=contact.owner, obj=contact, basis=basis)


@transaction.atomic
def record_new_consent(contact: Contact, evidence: str, *, by: User) -> None:
    """The person told the distributor that they want its mail again; ``evidence`` says when and how, and is kept.

    Lifts only this sender's own unsubscription. A spam complaint, an erasure, or a refusal of a topic or of everything
    is the person's alone to take back. Raises NotAllowed.
    """
    _require(by, contact.owner)
    refusal = own_refusal(contact)
    if refusal is None:
        return
    if refusal.reason not in LIFTED_BY_EVIDENCE or not evidence.strip():
        raise NotAllowed(_("Only the person themself can take this back, on the page linked in every mail."))
    consent.resubscribe(
        contact.address, SuppressionScope.SENDER, sender=contact.owner, source=_("By hand: %s") % evidence.strip()
    )
    audit.record("contact.resubscribed", by=by, owner=contact.owner, obj=contact)


LIFTED_BY_EVIDENCE = frozenset({SuppressionReason.UNSUBSCRIBED, SuppressionReason.BY_HAND})


def own_refusal(contact: Contact) -> Suppression | None:
    """The person's refusal of this very sender; what they told others is not the sender's business."""
    return Suppression.objects.filter(
        scope=SuppressionScope.SENDER, sender=contact.owner_id, email_hash=contact.address.email_hash
    ).first()


def _batches(pks: list[int], size: int = 500) -> Iterator[list[int]]:
    """Pieces that stay below SQLite's 999 parameters."""
    for start in range(0, len(pks), size):
        yield pks[start : start + size]


def _require(by: User, owner: Organization) -> None:
    require(by, "manage", owner)
    if owner.kind != OrganizationKind.DISTRIBUTOR:
        raise NotAllowed(_("Only distributors keep a network of resellers."))


@dataclass(frozen=True)
class Standing:
    """A contact and whether its owner may mail them, as far as the owner knows."""

    contact: Contact
    consent: Consent | None
    refusal: Suppression | None

    @property
    def is_mailable(self) -> bool:
        """Switched on, with a basis, and not unsubscribed from this sender."""
        return self.contact.is_active and self.consent is not None and self.refusal is None


def with_standing(owner: Organization, contacts: QuerySet[Contact]) -> list[Standing]:
    """``owner``'s contacts with consent and own refusal; three queries, however many."""
    rows = list(contacts.select_related("address"))
    addresses = {row.address_id for row in rows}
    consents = {
        row.address_id: row
        for row in Consent.objects.filter(sender=owner, address__in=addresses).order_by("-topic")  # "" last, and wins
    }
    refusals = {
        row.email_hash: row
        for row in Suppression.objects.filter(
            scope=SuppressionScope.SENDER, sender=owner, email_hash__in={row.address.email_hash for row in rows}
        )
    }
    return [Standing(row, consents.get(row.address_id), refusals.get(row.address.email_hash)) for row in rows]
