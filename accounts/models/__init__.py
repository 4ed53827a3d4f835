"""Who there is: organizations and their network, people, contacts, consent, brands."""

from accounts.models.access import OrganizationOwned, OrganizationOwnedQuerySet
from accounts.models.audit import AuditEvent
from accounts.models.brands import Brand
from accounts.models.contacts import Consent, Contact, Suppression
from accounts.models.imports import ColumnMapping, ImportRow, NetworkImport
from accounts.models.organizations import (
    NetworkLink,
    NetworkTag,
    Organization,
    OrganizationDoubt,
    OrganizationHost,
)
from accounts.models.people import Address, Invitation, Membership, Person, User

__all__ = [
    "Address",
    "AuditEvent",
    "Brand",
    "ColumnMapping",
    "Consent",
    "Contact",
    "ImportRow",
    "Invitation",
    "Membership",
    "NetworkImport",
    "NetworkLink",
    "NetworkTag",
    "Organization",
    "OrganizationDoubt",
    "OrganizationHost",
    "OrganizationOwned",
    "OrganizationOwnedQuerySet",
    "Person",
    "Suppression",
    "User",
]
