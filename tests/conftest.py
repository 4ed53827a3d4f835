"""The fixed cast: two networks under one vendor, and the same roles in each."""

from __future__ import annotations

from pathlib import Path

import pytest
from wagtail.models import Collection, Locale, Page

from accounts.enums import Role
from accounts.models import Organization, User
from tests import template_database
from tests.factories.accounts import BrandFactory, NetworkLinkFactory, OrganizationFactory, member


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, pytestconfig: pytest.Config) -> None:
    """Before the test database is made: make it from a template (SQLite)."""
    template_database.install(Path(pytestconfig.rootpath) / ".pytest_cache" / "database")


@pytest.fixture(autouse=True)
def rows_of_migrations(request: pytest.FixtureRequest) -> None:
    """Put back what Wagtail's migrations create: a transactional test before this one emptied every table."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        return
    request.getfixturevalue("transactional_db")
    Locale.objects.get_or_create(language_code="en")
    if Page.get_first_root_node() is None:
        Page.add_root(title="Root", slug="root")
    if Collection.get_first_root_node() is None:
        Collection.add_root(name="Root")


@pytest.fixture
def vendor(db) -> Organization:
    vendor = OrganizationFactory(vendor=True)
    BrandFactory(organization=vendor)
    return vendor


@pytest.fixture
def distributor(vendor) -> Organization:
    """The distributor whose people the tests look through: Acme."""
    acme = OrganizationFactory(name="Acme Distribution", slug="acme")
    BrandFactory(organization=acme, color="#0b5fff")
    NetworkLinkFactory(upstream=vendor, downstream=acme)
    return acme


@pytest.fixture
def other_distributor(vendor) -> Organization:
    """The stranger's distributor: Borealis. Nobody at Acme may ever read this name."""
    borealis = OrganizationFactory(name="Borealis Handels GmbH", slug="borealis")
    BrandFactory(organization=borealis, color="#a3123a")
    NetworkLinkFactory(upstream=vendor, downstream=borealis)
    return borealis


@pytest.fixture
def reseller(distributor) -> Organization:
    """A reseller of Acme only."""
    reseller = OrganizationFactory(reseller=True, name="Cobalt Systems", slug="cobalt")
    NetworkLinkFactory(upstream=distributor, downstream=reseller)
    return reseller


@pytest.fixture
def other_reseller(other_distributor) -> Organization:
    """A reseller of Borealis only."""
    reseller = OrganizationFactory(reseller=True, name="Dunkel IT-Systemhaus", slug="dunkel")
    NetworkLinkFactory(upstream=other_distributor, downstream=reseller)
    return reseller


@pytest.fixture
def vendor_editor(vendor) -> User:
    """A vendor marketer without superuser rights."""
    return member(vendor, Role.MANAGER, email="editor@northwind.example", name="Vera Vendor")


@pytest.fixture
def distributor_owner(distributor) -> User:
    return member(distributor, Role.OWNER, email="owner@acme.example", name="Olga Owner")


@pytest.fixture
def distributor_manager(distributor) -> User:
    return member(distributor, Role.MANAGER, email="manager@acme.example", name="Mara Manager")


@pytest.fixture
def distributor_member(distributor) -> User:
    return member(distributor, Role.MEMBER, email="member@acme.example", name="Milo Member")


@pytest.fixture
def reseller_member(reseller) -> User:
    return member(reseller, Role.MEMBER, email="rita@cobalt.example", name="Rita Reseller")


@pytest.fixture
def stranger(other_distributor) -> User:
    """The role of ``distributor_manager`` in the other network."""
    return member(other_distributor, Role.MANAGER, email="stranger@borealis.example", name="Stan Stranger")


@pytest.fixture
def reseller_stranger(other_reseller) -> User:
    """The role of ``reseller_member`` in the other network."""
    return member(other_reseller, Role.MEMBER, email="rolf@dunkel.example", name="Rolf Fremd")
