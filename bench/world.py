"""A distributor with many people to mail, made in bulk."""

from __future__ import annotations

from django.utils import timezone

from accounts.enums import ConsentBasis
from accounts.models import Address, Consent, Contact, NetworkLink, Organization, Person
from accounts.models.people import address_hash
from cascade.enums import WaveState
from cascade.models import Wave
from tests.factories.accounts import BrandFactory, OrganizationFactory
from tests.factories.cascade import CascadeFactory, HopFactory

BATCH = 2_000


def people(owner: Organization, count: int) -> None:
    """Contacts who may be mailed, ten at a reseller; every tenth has a name that needs encoding."""
    kind = "reseller"
    resellers = Organization.objects.bulk_create(
        [Organization(kind=kind, name=f"Systemhaus {n}", slug=f"r{n}") for n in range(max(1, count // 10))], BATCH
    )
    NetworkLink.objects.bulk_create([NetworkLink(upstream=owner, downstream=one) for one in resellers], BATCH)
    names = [f"Zoë Ångström {n}" if n % 10 == 0 else f"Alex Johnson {n}" for n in range(count)]
    persons = Person.objects.bulk_create([Person(name=name) for name in names], BATCH)
    emails = [f"p{n}@systemhaus{n % len(resellers)}.example" for n in range(count)]
    addresses = Address.objects.bulk_create(
        [
            Address(email=email, email_hash=address_hash(email), person=person)
            for email, person in zip(emails, persons, strict=True)
        ],
        BATCH,
    )
    Contact.objects.bulk_create(
        [
            Contact(owner=owner, organization=resellers[n % len(resellers)], address=address, name=names[n])
            for n, address in enumerate(addresses)
        ],
        BATCH,
    )
    Consent.objects.bulk_create(
        [Consent(address=address, sender=owner, basis=ConsentBasis.CUSTOMER, source="bench") for address in addresses],
        BATCH,
    )


def due_wave(count: int) -> Wave:
    """A scheduled wave of an accepted hop to so many people."""
    distributor = OrganizationFactory(name="Acme Distribution B.V.")
    BrandFactory(organization=distributor)
    hop = HopFactory(cascade=CascadeFactory(), organization=distributor, accepted=True)
    people(distributor, count)
    return Wave.objects.create(
        hop=hop, state=WaveState.SCHEDULED, scheduled_at=timezone.now(), base_url="https://portal.example"
    )
