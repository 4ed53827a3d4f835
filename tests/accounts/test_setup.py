"""An installation's first steps without the demo."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization, User


def run(**options):
    out = StringIO()
    call_command("setup_vendor", name="Halden Networks", email="Ada@Halden.example", owner="Ada", stdout=out, **options)
    return out.getvalue()


def test_setup_vendor_prints_a_link_where_the_owner_chooses_a_password(db, client):
    path = re.search(r"https?://[^/]+(/\S+)", run())[1]
    page = client.get(path, follow=True)
    form_path = page.redirect_chain[-1][0]
    client.post(form_path, {"password1": "a long new passphrase", "password2": "a long new passphrase"})
    response = client.post("/account/login/", {"login": "ada@halden.example", "password": "a long new passphrase"})

    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    assert Organization.objects.get().brand.name == "Halden Networks"


def test_setup_vendor_with_a_password_from_the_environment_prints_no_link(db, monkeypatch):
    monkeypatch.setenv("VENDOR_PASSWORD", "a long new passphrase")
    assert "http" not in run()
    assert User.objects.get().check_password("a long new passphrase")


def test_setup_vendor_twice_is_refused(db):
    run()
    with pytest.raises(CommandError, match="already"):
        run()
    assert User.objects.count() == 1


def test_setup_vendor_with_an_unusable_address_leaves_nothing(db):
    with pytest.raises(CommandError):
        call_command("setup_vendor", name="X", email="nobody")
    assert not Organization.objects.exists()
