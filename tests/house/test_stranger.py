"""Nobody meets another network: every address of the portal, as every role, on rows of both networks.

A new address fails ``test_every_address_is_visited`` until ``world.KWARGS`` says how to address a row with it.
"""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.enums import Role
from tests.factories.accounts import member
from tests.house.world import BY_SECRET, KWARGS, NOT_IN_WORLD, PUBLIC, build_world, portal_addresses, url_of

REFUSED = {403, 404, 405}
ROLES = ["owner", "manager", "member", "reseller_member"]


@pytest.fixture
def world(db, mailoutbox):
    cache.clear()
    return build_world()


def client_of(user=None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


def body(response) -> str:
    """Everything that reaches the visitor, headers too."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return (content.decode(errors="replace") + str(response.headers)).lower()


def is_refusal(response) -> bool:
    return response.status_code in REFUSED or (response.status_code == 302 and "/account/login/" in response.url)


def test_every_address_is_visited():
    addresses = portal_addresses()
    unknown = {name for name, takes_arguments in addresses.items() if takes_arguments and name not in KWARGS}
    assert not unknown, "tests/house/world.py must say how to address a row with these"
    assert not set(KWARGS) - set(addresses), "these addresses are gone"


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reads_or_changes_another_network(role, world):
    mine, theirs = world
    client = client_of(getattr(mine, role))
    problems = []
    for name in portal_addresses():
        if name in BY_SECRET:
            continue
        url = url_of(name, theirs)
        response = client.get(url)
        if theirs.mark in body(response).replace(url.lower(), ""):
            problems.append(f"GET {name} shows {theirs.mark}")
        if response.status_code >= 500:
            problems.append(f"GET {name}: {response.status_code}")
        if name in KWARGS and name not in {"network_export", "organizations_export"}:
            if not is_refusal(response):
                problems.append(f"GET {name} of another network: {response.status_code}")
            answer = client.post(url)
            if not is_refusal(answer) or theirs.mark in body(answer).replace(url.lower(), ""):
                problems.append(f"POST {name} of another network: {answer.status_code}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("role", ROLES)
def test_ones_own_pages_show_nothing_of_the_other_network(role, world):
    """Where both have the same cascade and the same reseller, each sees its own side only."""
    theirs, mine = world
    client = client_of(getattr(mine, role))
    problems = []
    for name in portal_addresses():
        response = client.get(url_of(name, mine))
        if theirs.mark in body(response):
            problems.append(f"{name} shows {theirs.mark}")
        if response.status_code >= 500:
            problems.append(f"{name}: {response.status_code}")
    assert not problems, "\n".join(problems)


def test_signed_out_people_see_public_pages_only(world):
    client, problems = client_of(), []
    for network in world:
        for name in portal_addresses():
            if name in PUBLIC:
                continue
            response = client.get(url_of(name, network))
            if not is_refusal(response) or network.mark in body(response).replace(url_of(name, network).lower(), ""):
                problems.append(f"GET {name}: {response.status_code}")
    assert not problems, "\n".join(problems)


def test_the_vendor_sees_organizations_but_no_distributors_contacts(world):
    from accounts.models import Organization

    vendor = Organization.objects.get(kind="vendor")
    client, problems = client_of(member(vendor, Role.MANAGER)), []
    for network in world:
        for name in portal_addresses():
            if name in BY_SECRET:
                continue
            response = client.get(url_of(name, network))
            if f"{network.mark}person" in body(response) or response.status_code >= 500:
                problems.append(f"GET {name}: {response.status_code}")
    assert not problems, "\n".join(problems)


def test_every_address_opens_for_somebody(world):
    """Else the tests above would prove nothing: a row that nobody can open cannot leak."""
    network = world[0]
    vendor_owner = member(network.hop.parent.organization, Role.OWNER)
    clients = [client_of(user) for user in (*network.people, vendor_owner, None)]
    closed = {
        name
        for name in portal_addresses()
        if name not in NOT_IN_WORLD
        and not any(client.get(url_of(name, network)).status_code in {200, 204, 302, 405} for client in clients)
    }
    assert closed == set()
