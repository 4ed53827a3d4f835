"""Pages that need no sign-in, the shell's brand, and the promise that nothing is inline."""

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.views.defaults import page_not_found, permission_denied, server_error

from accounts.models import User
from accounts.viewer import Viewer
from cms.context_processors import Shell
from tests.factories.accounts import OrganizationFactory

INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", re.IGNORECASE)

PUBLIC = [
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_email_verification_sent",
    "account_inactive",
    "imprint",
    "privacy",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_page_opens_without_sign_in_and_has_nothing_inline(client, vendor, name):
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert INLINE.findall(response.content.decode()) == []


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "account_logout"])
def test_account_page_wears_the_distributors_name(client, reseller_member, name):
    client.force_login(reseller_member)
    html = client.get(reverse(name)).content.decode()
    assert "Acme Distribution" in html
    assert INLINE.findall(html) == []


def test_imprint_names_distributor_and_vendor_but_no_other(client, reseller_member, vendor, other_distributor):
    for organization, text in ((vendor, "Northwind AG, Bern"), (other_distributor, "Borealis, Kiel")):
        organization.imprint = text
        organization.save(update_fields=["imprint"])
    acme = reseller_member.memberships.get().organization.upstream_links.get().upstream
    acme.imprint = "Acme, Hamburg <b>"
    acme.save(update_fields=["imprint"])
    client.force_login(reseller_member)
    html = client.get(reverse("imprint")).content.decode()
    assert "Northwind AG, Bern" in html
    assert "Acme, Hamburg &lt;b&gt;" in html
    assert "Borealis" not in html


def test_shell_costs_two_queries_for_a_distributor_and_three_for_a_reseller(
    rf, distributor_manager, reseller_member, django_assert_num_queries
):
    for user, queries in ((distributor_manager, 2), (reseller_member, 3)):
        client = Client()
        client.force_login(user)
        request = client.get(reverse("imprint")).wsgi_request
        request.viewer = Viewer(request.user)  # afresh: the page has asked the first one already
        with django_assert_num_queries(queries):
            shell = Shell(request)
            assert shell.brand.name == "Acme Distribution"
            assert shell.vendor_name == "Northwind"
            assert shell.nav is not None
            assert shell.organization_name in {"Acme Distribution", "Cobalt Systems"}


def test_shell_of_a_person_without_organization_is_neutral(client, vendor):
    client.force_login(User.objects.create_user("lone@example.com", "x"))
    assert Shell(client.get(reverse("imprint")).wsgi_request).brand.name == "Onward"


def test_shell_before_the_first_set_up_is_neutral(client, db):
    assert "Onward" in client.get(reverse("account_login")).content.decode()


def test_theme_cookie_is_obeyed_only_when_it_is_a_theme(client, vendor):
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get(reverse("imprint")).content.decode()
    client.cookies["theme"] = '"><script>'
    assert "data-theme" not in client.get(reverse("imprint")).content.decode()


def test_error_pages_say_what_to_do(rf, reseller_member):
    request = rf.get("/nowhere/")  # as if the error came before any middleware
    assert "find that page" in page_not_found(request, Exception()).content.decode()
    refused = permission_denied(request, PermissionDenied("Only <owners> may.")).content.decode()
    assert "open this" in refused
    assert "Only &lt;owners&gt; may." in refused
    assert "our side" in server_error(request).content.decode()


def test_server_error_page_needs_no_database(rf, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        server_error(rf.get("/"))


def test_unknown_address_is_a_branded_404(client, reseller_member):
    client.force_login(reseller_member)
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "Acme Distribution" in response.content.decode()


def test_forms_with_stale_tokens_get_a_friendly_403(vendor):
    response = Client(enforce_csrf_checks=True).post(reverse("account_login"), {"login": "a@example.com"})
    assert response.status_code == 403
    assert "no longer valid" in response.content.decode()


def test_long_organization_name_is_escaped_and_whole(client, vendor):
    OrganizationFactory()
    vendor.name = "Süddeutsche Netzwerk- & Sicherheitstechnik Vertriebsgesellschaft mbH"
    vendor.save(update_fields=["name"])
    assert "Netzwerk- &amp; Sicherheitstechnik" in client.get(reverse("account_login")).content.decode()
