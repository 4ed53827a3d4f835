"""Settings modules as processes load them: each test starts a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = {
    "SECRET_KEY": "k3Yq" + "xK2mV9pLwT4n" * 5,
    "ADDRESS_HASH_KEY": "h4Sh" + "pW8bN3cRzQ6d" * 5,
    "BASE_URL": "https://portal.example.com",
    "EMAIL_URL": "submission://joe:secret@relay.example",
    "DEFAULT_FROM_EMAIL": "Northwind partner portal <portal@northwind.example>",
    "DATABASE_URL": "postgres://onward:secret@db.example/onward",
    "CACHE_URL": "rediscache://cache.example:6379/1",
    "CELERY_BROKER_URL": "redis://cache.example:6379/0",
    "S3_BUCKET": "northwind-portal",
    "S3_REGION": "eu-central-1",
}


def run(module: str, code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, *code.split()] if code.startswith("manage.py") else [sys.executable, "-c", code],
        env=keep | environment | {"DJANGO_SETTINGS_MODULE": f"config.settings.{module}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def values(module: str, names: list[str], environment: dict[str, str]) -> list:
    code = "import json; from django.conf import settings; print(json.dumps([getattr(settings, n) for n in %r]))"
    done = run(module, code % names, environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ADDRESS_HASH_KEY", "BASE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL"])
def test_production_when_a_variable_is_missing_fails_loudly(missing):
    environment = {name: value for name, value in GOOD.items() if name != missing}
    done = run("production", "from django.conf import settings; settings.DEBUG", environment)
    assert done.returncode != 0
    assert missing in done.stderr.splitlines()[-1]
    assert "ImproperlyConfigured" in done.stderr


def test_production_when_all_is_set_passes_the_deployment_check():
    done = run("production", "manage.py check --deploy --fail-level WARNING", GOOD)
    assert done.returncode == 0, done.stderr


def test_production_when_the_mailbox_is_asked_for_does_not_pass_the_check():
    done = run("production", "manage.py check", GOOD | {"MAILBOX_ENABLED": "1"})
    assert done.returncode != 0
    assert "onward.E001" in done.stderr


def test_production_when_all_is_set_is_strict():
    names = ["DEBUG", "OWN_HOSTS", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "MAILBOX_ENABLED", "EMAIL_USE_TLS"]
    assert values("production", names, GOOD) == [False, ["portal.example.com"], True, True, False, True]


def test_production_when_a_bucket_is_named_signs_links_for_minutes():
    [storages] = values("production", ["STORAGES"], GOOD | {"S3_LINK_MINUTES": "7"})
    options = storages["default"]["OPTIONS"]
    assert storages["default"]["BACKEND"] == "storages.backends.s3.S3Storage"
    assert (options["querystring_auth"], options["querystring_expire"], options["default_acl"]) == (True, 420, None)


def test_demo_when_started_twice_keeps_its_keys(tmp_path):
    environment = {"VAR_DIR": str(tmp_path / "var"), "PORT": "8123"}
    names = ["DEBUG", "DEPLOYMENT", "BASE_URL", "SECRET_KEY", "ADDRESS_HASH_KEY"]
    first = values("demo", names, environment)
    assert first[:3] == [False, "demo", "http://localhost:8123"]
    assert len(set(first[3:])) == 2
    assert values("demo", names, environment) == first


def test_embedded_broker_when_nothing_is_named_reads_and_writes_one_folder(tmp_path):
    [options] = values("demo", ["CELERY_BROKER_TRANSPORT_OPTIONS"], {"VAR_DIR": str(tmp_path)})
    assert options["data_folder_in"] == options["data_folder_out"]
    assert options["polling_interval"] == 0.1
