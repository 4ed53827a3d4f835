"""Headers that every answer carries."""

import pytest
from django.conf import settings


def policy(response) -> dict[str, list[str]]:
    parts = (part.split() for part in response.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/account/login/", "/no-such-page/"])
def test_portal_when_asked_allows_nothing_inline(client, address):
    found = policy(client.get(address))
    assert found["script-src"] == ["'self'"]
    assert found["style-src"] == ["'self'"]
    assert found["object-src"] == found["base-uri"] == ["'none'"]
    assert found["frame-ancestors"] == ["'self'"]


@pytest.mark.django_db
def test_wagtail_admin_when_asked_allows_inline_scripts_and_styles_and_nothing_more(admin_client):
    found = policy(admin_client.get("/admin/"))
    assert found["script-src"] == ["'self'", "'unsafe-inline'"]
    assert found["style-src"] == ["'self'", "'unsafe-inline'"]
    assert found["object-src"] == ["'none'"]


@pytest.mark.django_db
def test_media_when_asked_by_url_is_never_served(admin_client):
    assert admin_client.get(f"{settings.MEDIA_URL}images/secret.png").status_code == 404


@pytest.mark.django_db
def test_foreign_host_when_asked_is_refused(client):
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400
