"""Contacts, consent and suppression: whom one organization may mail."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import ConsentBasis, Function, SuppressionReason, SuppressionScope, Topic
from accounts.models.access import OrganizationOwned
from accounts.models.organizations import Organization
from accounts.models.people import Address


class Contact(OrganizationOwned):
    """A person at a reseller as one organization knows them; invisible to any other, even with the same address."""

    owner = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="known_contacts", help_text=_("The reseller they work at.")
    )
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(_("name"), max_length=200)
    function = models.CharField(_("function"), max_length=16, choices=Function, default=Function.OTHER)
    language = models.CharField(_("language"), max_length=12, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "organization", "address"], name="one_contact_per_address"),
        ]
        indexes = [models.Index(fields=["owner", "organization"]), models.Index(fields=["owner", "name"])]

    def __str__(self) -> str:
        return self.name


class Consent(OrganizationOwned):
    """Why ``sender`` may mail an address, and who says so. Without one nobody is mailed."""

    owner_field: ClassVar[str] = "sender_id"

    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="consents")
    sender = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="consents")
    topic = models.CharField(_("topic"), max_length=16, choices=Topic, blank=True, help_text=_("Empty: every topic."))
    basis = models.CharField(_("basis"), max_length=16, choices=ConsentBasis)
    source = models.CharField(_("source"), max_length=200, help_text=_("File, form or event it came from."))
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address", "sender", "topic"], name="one_consent_per_topic")]

    def __str__(self) -> str:
        return f"{self.address} · {self.sender} · {self.get_basis_display()}"


class Suppression(models.Model):
    """Never mail this address again within a scope. Kept as a hash, so that erasure and re-import bring nobody back."""

    shared_because: ClassVar[str] = "it belongs to the person who refused; organizations only meet its effect"

    scope = models.CharField(max_length=8, choices=SuppressionScope)
    sender = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=16, choices=Topic, blank=True)
    email_hash = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(max_length=16, choices=SuppressionReason)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email_hash", "sender"], condition=Q(scope="sender"), name="one_suppression_per_sender"
            ),
            models.UniqueConstraint(
                fields=["email_hash", "topic"], condition=Q(scope="topic"), name="one_suppression_per_topic"
            ),
            models.UniqueConstraint(fields=["email_hash"], condition=Q(scope="global"), name="one_global_suppression"),
            models.CheckConstraint(
                condition=Q(scope="sender", sender__isnull=False, topic="")
                | (Q(scope="topic", sender__isnull=True) & ~Q(topic=""))
                | Q(scope="global", sender__isnull=True, topic=""),
                name="suppression_names_its_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.get_reason_display()}"
