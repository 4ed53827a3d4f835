"""The Wagtail admin is for the vendor's staff, and for them only as far as listed."""

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts import admin_access
from accounts.enums import Role
from tests.factories.accounts import UserFactory, member


@pytest.fixture
def superuser(vendor):
    user = member(vendor, Role.OWNER, email="root@northwind.example")
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    return user


@pytest.mark.parametrize("who", ["distributor_owner", "distributor_member", "reseller_member", "stranger"])
@pytest.mark.parametrize("path", ["/admin/", "/admin/pages/", "/admin/images/", "/admin/login/", "/admin/users/"])
def test_partners_get_a_403_that_wears_the_portal(who, path, client, request):
    client.force_login(request.getfixturevalue(who))
    response = client.get(path)
    assert response.status_code == 403
    assert "wagtail" not in response.text.lower()


def test_signed_out_people_go_to_the_portals_sign_in(client, db):
    response = client.get("/admin/pages/")
    assert response.url == f"{reverse('account_login')}?next=/admin/pages/"


@pytest.mark.parametrize(
    "name",
    [
        "wagtailadmin_home",
        "wagtailadmin_explore_root",
        "wagtailimages:index",
        "wagtaildocs:index",
        "wagtailadmin_account",
    ],
)
def test_vendor_staff_reach_what_is_listed(name, vendor_editor, client):
    client.force_login(vendor_editor)
    assert client.get(reverse(name), follow=True).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "wagtailadmin_api:images:listing",
        "wagtailadmin_api:documents:listing",
        "wagtailadmin_reports:site_history",
        "wagtailadmin_reports:workflow",
        "wagtailadmin_tag_autocomplete",
        "wagtailadmin_workflows:task_chooser",
        "wagtailusers_users:index",
        "wagtailusers_groups:index",
        "wagtailsites:index",
        "wagtailadmin_collections:index",
    ],
)
def test_vendor_staff_do_not_reach_the_rest(name, vendor_editor, client):
    client.force_login(vendor_editor)
    assert client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", ["wagtailusers_users:add", "wagtailadmin_password_reset"])
def test_what_breaks_our_rules_is_closed_for_superusers_too(name, superuser, client):
    client.force_login(superuser)
    assert client.get(reverse(name)).status_code == 403
    assert client.get(reverse("wagtailusers_groups:index")).status_code == 200


def test_a_view_nobody_opened_is_closed(vendor_editor, monkeypatch):
    monkeypatch.setattr(admin_access, "ALLOWED", list(admin_access.ALLOWED))
    assert not admin_access.may_open(vendor_editor, "unheard_of:index")
    admin_access.allow("unheard_of:*")
    assert admin_access.may_open(vendor_editor, "unheard_of:index")


def test_somebody_who_left_the_vendor_is_out_at_once(vendor_editor, client):
    client.force_login(vendor_editor)
    vendor_editor.memberships.all().delete()
    assert client.get("/admin/").status_code == 403


def test_menus_show_no_closed_entry(vendor_editor, superuser, client):
    client.force_login(vendor_editor)
    text = client.get("/admin/").text
    assert reverse("wagtailadmin_reports:site_history") not in text
    assert reverse("people") in text
    client.force_login(superuser)
    assert reverse("wagtailusers_users:add") not in client.get("/admin/").text


def test_a_person_without_organization_is_refused(client, db):
    client.force_login(UserFactory())
    assert client.get("/admin/").status_code == 403


@pytest.mark.parametrize("name", ["wagtailusers_users:index", "wagtailadmin_account", "wagtailsites:index"])
def test_superusers_reach_the_rest(name, superuser, client):
    client.force_login(superuser)
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("who", ["distributor_manager", "reseller_member", "reseller_stranger"])
def test_partners_open_no_address_of_the_admin(who, client, request):
    """Whatever is added to the admin, by Wagtail or by us."""
    client.force_login(request.getfixturevalue(who))
    opened = [name for name in admin_names() if client.get(reverse(name)).status_code != 403]
    assert opened == []


def admin_names():
    """Names of all admin addresses that take no arguments."""
    names = []
    for entry, spaces in _walk(get_resolver().url_patterns, ()):
        name = ":".join([*spaces, entry.name or ""])
        if entry.name and not entry.pattern.regex.groups:
            try:
                url = reverse(name)
            except NoReverseMatch:  # its prefix takes arguments
                continue
            if url.startswith(reverse("wagtailadmin_home")):
                names.append(name)
    assert len(names) > 60
    return names


def _walk(entries, spaces):
    for entry in entries:
        if hasattr(entry, "url_patterns"):
            yield from _walk(entry.url_patterns, (*spaces, entry.namespace) if entry.namespace else spaces)
        else:
            yield entry, spaces
