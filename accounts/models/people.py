"""People: one person across addresses, accounts and memberships."""

from __future__ import annotations

import hashlib
import hmac
import zoneinfo
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.addresses import normalize_address
from accounts.enums import MANAGING_ROLES, AddressState, OrganizationKind, Role
from accounts.models.access import OrganizationOwned, OrganizationOwnedQuerySet
from accounts.models.organizations import Organization


class Person(models.Model):
    """One human, however many addresses, contacts and memberships."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    language = models.CharField(
        _("language"), max_length=12, blank=True, help_text=_("The person's own choice; beats what contacts say.")
    )
    timezone = models.CharField(_("timezone"), max_length=64, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name or f"#{self.pk}"


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail; each has a Person and a verified-or-not Address."""

    use_in_migrations = True

    def _create(self, email: str, password: str | None, **extra: Any) -> User:
        address = Address.objects.obtain(email, name=extra.get("name", ""))
        user = self.model(email=address.email, person=address.person, **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user who may sign in; ``email`` is normalized. Raises ValidationError on an unusable address."""
        extra.setdefault("is_staff", False)
        extra.setdefault("is_superuser", False)
        return self._create(email, password, **extra)

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        """A user with every permission in the Wagtail admin (the vendor's own people only)."""
        return self._create(email, password, **{**extra, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> User:
        """E-mail addresses are compared without case."""
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person who can sign in, by e-mail and password."""

    shared_because: ClassVar[str] = "a person; whom of them an organization sees follows from its memberships"

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="user")
    active_organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The distributor a reseller's person looks through, or the organization they act for."),
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name as the person wrote it; e-mail when none is given."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """First word of the name."""
        return (self.name or self.email).split()[0]

    @cached_property
    def is_vendor(self) -> bool:
        """Whether this person works for the vendor (sees organizations and counts, never other people's contacts)."""
        return self.is_superuser or self.memberships.filter(organization__kind=OrganizationKind.VENDOR).exists()

    def manages(self, organization: Organization | int) -> bool:
        """Whether this person may send and edit for ``organization``."""
        pk = organization if isinstance(organization, int) else organization.pk
        return self.is_active and any(
            m.organization_id == pk and m.role in MANAGING_ROLES for m in self.memberships.all()
        )

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        """The person's own timezone, UTC while none is chosen."""
        return zoneinfo.ZoneInfo(self.person.timezone or "UTC")


class AddressManager(models.Manager["Address"]):
    """Addresses are always normalized; one row per address in the installation."""

    def obtain(self, email: str, *, name: str = "") -> Address:
        """The address row for ``email``, created with a person of its own if new. Raises ValidationError."""
        normalized = normalize_address(email)
        address = self.select_related("person").filter(email=normalized).first()
        if address is None:
            address = self.create(email=normalized, person=Person.objects.create(name=name))
        return address


def address_hash(email: str) -> str:
    """Keyed hash of a normalized address, 64 hex digits. Its key is never rotated, so suppression outlives erasure."""
    key = settings.ADDRESS_HASH_KEY.encode()
    return hmac.new(key, email.encode(), hashlib.sha256).hexdigest()


class Address(models.Model):
    """One normalized e-mail address of the installation and whether mail reaches it."""

    email = models.CharField(_("e-mail address"), max_length=254, unique=True)
    email_hash = models.CharField(max_length=64, unique=True, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="addresses")
    state = models.CharField(_("state"), max_length=16, choices=AddressState, default=AddressState.OK)
    state_at = models.DateTimeField(null=True, blank=True)
    soft_bounces = models.PositiveSmallIntegerField(default=0)

    objects = AddressManager()

    class Meta:
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the hash true to the address."""
        self.email_hash = address_hash(self.email)
        super().save(*args, **kwargs)


class Membership(OrganizationOwned):
    """A person's place in an organization."""

    owner_field: ClassVar[str] = "organization_id"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    function = models.CharField(_("function"), max_length=16, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="one_membership_per_pair")]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization} ({self.get_role_display()})"


class InvitationQuerySet(OrganizationOwnedQuerySet):
    """Invitations by state."""

    def open(self) -> Self:
        """Not accepted, not revoked, not expired."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now())


class Invitation(OrganizationOwned):
    """An e-mail that asks somebody to join an organization in the portal."""

    owner_field: ClassVar[str] = "organization_id"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    invited_by_organization = models.ForeignKey(
        Organization,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="invitations_sent",
        help_text=_("The upstream that invited a reseller's first person."),
    )
    email = models.CharField(_("e-mail address"), max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.MEMBER)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=now, editable=False)
    sent_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # One for the organization's own, one for each upstream: an inviter never learns of another's invitation.
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, revoked_at=None, invited_by_organization=None),
                name="one_open_invitation_per_address",
            ),
            models.UniqueConstraint(
                fields=["organization", "email", "invited_by_organization"],
                condition=Q(accepted_at=None, revoked_at=None, invited_by_organization__isnull=False),
                name="one_open_invitation_per_upstream",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} → {self.organization}"

    @property
    def is_expired(self) -> bool:
        """Whether its link has run out; sending it again brings a new one."""
        return self.expires_at <= now()
