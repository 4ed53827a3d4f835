"""The health address: enough for a load balancer, more for who runs the installation, nothing for others."""

import pytest
from django.db import connection
from django.db.utils import OperationalError


@pytest.mark.django_db
def test_health_when_anonymous_says_ok_and_nothing_else(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_health_when_superuser_shows_what_runs(admin_client):
    details = admin_client.get("/healthz").json()["details"]
    assert details["database"] == connection.vendor
    assert details["pending_migrations"] == []
    assert details["deployment"] == "test"


def test_health_when_a_member_asks_shows_no_details(client, distributor_manager):
    client.force_login(distributor_manager)
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_health_when_the_database_is_gone_answers_503(client, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("config.views.connection.ensure_connection", refuse)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable"}
