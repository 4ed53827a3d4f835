"""Environment variables that are wrong are refused with a sentence, never half understood."""

import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import base_url, generated_secrets, mail_settings, port_number, required_secret


def relay(host, port, user="", password="", tls=False, starttls=False):
    return {
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_SSL": tls,
        "EMAIL_USE_TLS": starttls,
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay.example", relay("relay.example", 25)),
        ("smtp://127.0.0.1:1025", relay("127.0.0.1", 1025)),
        ("smtp://[::1]:1025", relay("::1", 1025)),
        ("smtps://joe:s%40cret%2F@relay.example", relay("relay.example", 465, "joe", "s@cret/", tls=True)),
        (
            "submission://joe%40x.example:pw@relay.example",
            relay("relay.example", 587, "joe@x.example", "pw", starttls=True),
        ),
        ("smtp+starttls://relay.example:2525/", relay("relay.example", 2525, starttls=True)),
    ],
)
def test_mail_settings_when_the_address_is_good_names_the_relay(url, expected):
    assert mail_settings(url) == expected


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("relay.example:25", "must start with"),
        ("http://relay.example", "must start with"),
        ("smtp://", "names no host"),
        ("smtp://relay.example:port", "not a number"),
        ("smtp://relay.example:70000", "not a number"),
        ("smtp://joe@relay.example", "both a user and a password"),
        ("smtp://joe:pass/word@relay.example", "not a number"),
        ("smtp://relay.example/path", "ends after the port"),
        ("smtp://relay.example?tls=1", "ends after the port"),
    ],
)
def test_mail_settings_when_the_address_is_bad_says_why(url, reason):
    with pytest.raises(ImproperlyConfigured, match=reason):
        mail_settings(url)


def test_base_url_when_it_ends_with_a_slash_loses_it():
    assert base_url("https://portal.example.com/") == "https://portal.example.com"


@pytest.mark.parametrize("value", ["portal.example.com", "ftp://x.example", "https://", "https://x.example/portal"])
def test_base_url_when_it_is_none_is_refused(value):
    with pytest.raises(ImproperlyConfigured, match="BASE_URL must look like"):
        base_url(value)


def test_required_secret_when_random_is_returned(monkeypatch):
    secret = "q7Zr" + "xK2mV9pLwT4n" * 5
    monkeypatch.setenv("SOME_KEY", secret)
    assert required_secret("SOME_KEY") == secret


@pytest.mark.parametrize(("value", "reason"), [("", "is not set"), ("short", "at least 50"), ("a" * 60, "random")])
def test_required_secret_when_missing_or_weak_is_refused(monkeypatch, value, reason):
    monkeypatch.setenv("SOME_KEY", value)
    with pytest.raises(ImproperlyConfigured, match=reason):
        required_secret("SOME_KEY")


@pytest.mark.parametrize("value", ["0", "65536", "80a", "-1", "٨٠"])
def test_port_number_when_it_is_none_is_refused(monkeypatch, value):
    monkeypatch.setenv("PORT", value)
    with pytest.raises(ImproperlyConfigured, match="between 1 and 65535"):
        port_number("PORT", default=8000)


def test_generated_secrets_when_asked_twice_stay_the_same_and_private(tmp_path):
    path = tmp_path / "var" / "secrets.json"
    first = generated_secrets(path, ["SECRET_KEY", "OTHER_KEY"])
    assert generated_secrets(path, ["SECRET_KEY", "OTHER_KEY"]) == first
    assert first["SECRET_KEY"] != first["OTHER_KEY"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secrets.json"]
