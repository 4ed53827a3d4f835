"""Organizations, their network, people and contacts."""

from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.enums import ConsentBasis, LinkStatus, OrganizationKind, Role
from accounts.models import (
    Address,
    Brand,
    Consent,
    Contact,
    Membership,
    NetworkLink,
    NetworkTag,
    Organization,
    Person,
    User,
)

PASSWORD = "correct horse battery"


class OrganizationFactory(DjangoModelFactory):
    """A distributor unless a trait says otherwise; ``vendor=True`` gives the installation's only one."""

    class Meta:
        model = Organization
        django_get_or_create = ("slug",)
        skip_postgeneration_save = True

    class Params:
        vendor = factory.Trait(kind=OrganizationKind.VENDOR, name="Northwind", slug="northwind")
        distributor = factory.Trait(kind=OrganizationKind.DISTRIBUTOR)
        reseller = factory.Trait(
            kind=OrganizationKind.RESELLER,
            name=factory.Sequence(lambda n: f"Reseller {n}"),
            slug=factory.Sequence(lambda n: f"reseller-{n}"),
        )

    kind = OrganizationKind.DISTRIBUTOR
    name = factory.Sequence(lambda n: f"Distributor {n}")
    slug = factory.Sequence(lambda n: f"distributor-{n}")
    country = "DE"
    language = "en"
    timezone = "Europe/Berlin"


class BrandFactory(DjangoModelFactory):
    """A brand with every text an e-mail shows."""

    class Meta:
        model = Brand
        django_get_or_create = ("organization",)

    organization = factory.SubFactory(OrganizationFactory)
    color = "#0b5fff"
    sender_name = factory.LazyAttribute(lambda brand: f"{brand.organization.name} Partner Team")
    reply_to = factory.LazyAttribute(lambda brand: f"partners@{brand.organization.slug}.example")
    postal_address = "Hauptstraße 1\n10115 Berlin\nGermany"


class NetworkLinkFactory(DjangoModelFactory):
    """An active link; ``tags=["Gold"]`` makes the upstream's tags and sets them."""

    class Meta:
        model = NetworkLink
        django_get_or_create = ("upstream", "downstream")
        skip_postgeneration_save = True

    upstream = factory.SubFactory(OrganizationFactory)
    downstream = factory.SubFactory(OrganizationFactory, reseller=True)
    status = LinkStatus.ACTIVE

    @factory.post_generation
    def tags(self, create: bool, names: list[str] | None, **kwargs: Any) -> None:
        for name in names or []:
            self.tags.add(NetworkTag.objects.get_or_create(owner=self.upstream, name=name)[0])


class PersonFactory(DjangoModelFactory):
    class Meta:
        model = Person

    name = factory.Sequence(lambda n: f"Person {n}")


class AddressFactory(DjangoModelFactory):
    class Meta:
        model = Address
        django_get_or_create = ("email",)

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    person = factory.SubFactory(PersonFactory)


class UserFactory(DjangoModelFactory):
    """Somebody who can sign in with ``PASSWORD``; their address is verified."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    name = factory.Sequence(lambda n: f"User {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        from allauth.account.models import EmailAddress

        user = model_class.objects.create_user(kwargs.pop("email"), kwargs.pop("password", PASSWORD), **kwargs)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership
        django_get_or_create = ("user", "organization")

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)
    role = Role.MEMBER


class ConsentFactory(DjangoModelFactory):
    """Basis for every topic."""

    class Meta:
        model = Consent
        django_get_or_create = ("address", "sender", "topic")

    address = factory.SubFactory(AddressFactory)
    sender = factory.SubFactory(OrganizationFactory)
    topic = ""
    basis = ConsentBasis.CUSTOMER
    source = "crm export"


class ContactFactory(DjangoModelFactory):
    """A contact who may be mailed, at a reseller of its owner's network; ``email=`` picks the address.

    ``consent=False`` leaves the basis out, ``link=False`` the network link.
    """

    class Meta:
        model = Contact
        skip_postgeneration_save = True

    class Params:
        email = factory.Sequence(lambda n: f"contact{n}@reseller.example")

    owner = factory.SubFactory(OrganizationFactory)
    organization = factory.SubFactory(OrganizationFactory, reseller=True)
    name = factory.Sequence(lambda n: f"Contact {n}")
    address = factory.LazyAttribute(lambda contact: Address.objects.obtain(contact.email, name=contact.name))

    @factory.post_generation
    def consent(self, create: bool, wanted: bool | None, **kwargs: Any) -> None:
        if wanted is not False:
            ConsentFactory(address=self.address, sender=self.owner)

    @factory.post_generation
    def link(self, create: bool, wanted: bool | None, **kwargs: Any) -> None:
        if wanted is not False and self.owner_id != self.organization_id:
            NetworkLinkFactory(upstream=self.owner, downstream=self.organization)


def member(organization: Organization, role: str = Role.MEMBER, **user: Any) -> User:
    """A new user with ``role`` in ``organization``."""
    return MembershipFactory(organization=organization, role=role, user=UserFactory(**user)).user
