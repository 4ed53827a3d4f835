"""People: their accounts, one person across addresses, what is held about them, and forgetting them."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from allauth.account.models import EmailAddress
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts import audit, consent
from accounts.enums import Role, SuppressionReason, SuppressionScope
from accounts.models import Address, AuditEvent, Consent, Contact, Invitation, Membership, Person, Suppression, User
from accounts.models.people import address_hash
from accounts.policies import NotAllowed
from accounts.signals import person_erasing, persons_merging

logger = logging.getLogger(__name__)

Rows = Iterable[dict[str, Any]]
_exporters: dict[str, Callable[[Person], Rows]] = {}


class CannotMerge(Exception):
    """Two persons are not one: both can sign in, or rows of both contradict each other."""


class LastOwner(NotAllowed):
    """An organization with other members would be left without an owner."""


# --- accounts -----------------------------------------------------------------------------------------------------
@transaction.atomic
def create_account(
    email: str, password: str | None, *, name: str = "", language: str = "", is_superuser: bool = False
) -> User:
    """A user whose address is known to be theirs (they followed a link, or an operator vouches for it).

    Without a password they set one through "forgotten password". Raises ValidationError on an unusable address and
    CannotMerge when the address belongs to somebody who already has an account.
    """
    address = Address.objects.obtain(email, name=name)
    if User.objects.filter(person=address.person).exists():
        raise CannotMerge(_("This person already has an account."))
    create = User.objects.create_superuser if is_superuser else User.objects.create_user
    user = create(address.email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    person = user.person
    person.name = person.name or name
    person.language = person.language or language
    person.save(update_fields=["name", "language"])
    return user


@transaction.atomic
def take_address(user: User, email: str) -> Address:
    """``user`` has proven that ``email`` reaches them: it is an address of their person from now on.

    Whoever had it before and has nothing else (no account, no other address) is the same human and is merged.
    Otherwise only the address moves: mailboxes are handed to new colleagues.
    """
    address = Address.objects.obtain(email, name=user.name)
    former = address.person
    if former == user.person:
        return address
    is_alone = not former.addresses.exclude(pk=address.pk).exists() and not User.objects.filter(person=former).exists()
    if is_alone:
        try:
            with transaction.atomic():
                merge(user.person, former)
            address.refresh_from_db()
            return address
        except CannotMerge:
            logger.warning("person.merge_refused keep=%s other=%s", user.person_id, former.pk)
    address.person = user.person
    address.save(update_fields=["person"])
    return address


@transaction.atomic
def merge(keep: Person, other: Person, *, by: User | None = None) -> None:
    """Make ``other`` the same person as ``keep``; everything of ``other`` belongs to ``keep`` afterwards.

    Receivers of ``persons_merging`` settle rows that would contradict each other. Raises CannotMerge, changing
    nothing, when both can sign in or such rows remain.
    """
    if keep == other:
        return
    users = {user.person_id: user for user in User.objects.filter(person__in=(keep, other))}
    if len(users) > 1:
        raise CannotMerge(_("Both have an account of their own."))
    persons_merging.send(sender=Person, keep=keep, other=other)
    try:
        with transaction.atomic():
            for relation in Person._meta.related_objects:
                model: type[models.Model] = relation.related_model  # type: ignore[assignment]  # a class once apps are ready
                rows = model._base_manager.filter(**{relation.field.name: other})
                rows.update(**{relation.field.name: keep})
            Person.objects.get(pk=other.pk).delete()
    except (IntegrityError, ProtectedError) as error:
        raise CannotMerge(_("Rows of both contradict each other.")) from error
    changed = []
    for field in ("name", "language", "timezone"):
        if not getattr(keep, field) and getattr(other, field):
            setattr(keep, field, getattr(other, field))
            changed.append(field)
    if changed:
        keep.save(update_fields=changed)
    audit.record("person.merged", by=by, owner=None, obj=keep, other=other.pk)


# --- what is held about a person ----------------------------------------------------------------------------------
def register_exporter(name: str, exporter: Callable[[Person], Rows]) -> None:
    """Include what ``exporter(person)`` yields (plain dicts) as section ``name`` of every personal export."""
    _exporters[name] = exporter


def export(person: Person) -> dict[str, Any]:
    """Everything the installation holds about ``person``, as plain data (GDPR Art. 15 and 20)."""
    emails = list(person.addresses.values_list("email", flat=True))
    user = User.objects.filter(person=person).first()
    data: dict[str, Any] = {
        "person": _fields(Person.objects.filter(pk=person.pk), "name", "language", "timezone", "created_at")[0],
        "addresses": _fields(person.addresses.all(), "email", "state", "state_at"),
        "account": _fields(User.objects.filter(person=person), "email", "name", "date_joined", "last_login"),
        "memberships": _fields(
            Membership.objects.filter(user__person=person), "organization__name", "role", "function", "created_at"
        ),
        "known_as_contact": _fields(
            Contact.objects.filter(address__person=person),
            *("owner__name", "organization__name", "address__email", "name", "function", "language", "created_at"),
        ),
        "consents": _fields(
            Consent.objects.filter(address__person=person),
            *("address__email", "sender__name", "topic", "basis", "source", "at"),
        ),
        "refusals": _fields(
            Suppression.objects.filter(email_hash__in=[address_hash(email) for email in emails]),
            *("scope", "sender__name", "topic", "reason", "at"),
        ),
        "invitations": _fields(
            Invitation.objects.filter(email__in=emails),
            *("email", "organization__name", "role", "created_at", "accepted_at", "revoked_at"),
        ),
        "acts": _fields(AuditEvent.objects.filter(actor=user), "name", "at") if user else [],
    }
    for name, exporter in _exporters.items():
        data[name] = list(exporter(person))
    return data


def export_zip(person: Person) -> bytes:
    """The export as a ZIP with one JSON file per section."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for section, rows in export(person).items():
            text = json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
            archive.writestr(f"{section}.json", text)
    return buffer.getvalue()


def _fields(rows: models.QuerySet[Any], *names: str) -> list[dict[str, Any]]:
    return list(rows.order_by("pk").values(*names))


# --- forgetting a person ------------------------------------------------------------------------------------------
def sole_ownerships(user: User) -> list[str]:
    """Names of organizations that have other members and no other active owner than ``user``."""
    owned = Membership.objects.filter(user=user, role=Role.OWNER).select_related("organization")
    return [
        membership.organization.name
        for membership in owned
        if not other_owners(membership).exists()
        and Membership.objects.filter(organization=membership.organization).exclude(user=user).exists()
    ]


def other_owners(membership: Membership) -> models.QuerySet[Membership]:
    """Active owners of the same organization besides this one."""
    return Membership.objects.filter(
        organization=membership.organization_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)


@transaction.atomic
def erase(person: Person, *, by: User | None, force: bool = False) -> None:
    """Forget ``person``: account, contacts, consents and invitations go; what must stay (that a message was sent, that
    somebody completed) stays without name or address. Their addresses are suppressed everywhere, as hashes.

    Raises LastOwner where an organization with members would lose its only owner, unless ``force``.
    """
    user = User.objects.filter(person=person).first()
    if user is not None and not force and (names := sole_ownerships(user)):
        raise LastOwner(
            _("Make somebody else an owner first: %(organizations)s.") % {"organizations": ", ".join(names)}
        )
    addresses = list(person.addresses.all())
    emails = [address.email for address in addresses]
    person_erasing.send(sender=Person, person=person, addresses=emails)
    Invitation.objects.filter(email__in=emails).delete()
    Contact.objects.filter(address__in=addresses).delete()
    Consent.objects.filter(address__in=addresses).delete()
    if user is not None:
        by = None if by == user else by
        user.delete()
    for address in addresses:
        consent.suppress(address.email, SuppressionScope.GLOBAL, SuppressionReason.ERASED)
        address.email = f"erased-{address.pk}@erased.invalid"  # RFC 2606: reaches nobody; the old hash is suppressed
        address.save(update_fields=["email", "email_hash"])
    Person.objects.filter(pk=person.pk).update(name="", language="", timezone="")
    audit.record("person.erased", by=by, owner=None, obj=person)
