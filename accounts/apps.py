"""Accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, people, consent, brands and the policy registry; imports no app of ours."""

    name = "accounts"

    def ready(self) -> None:
        """Turn on the checks that keep the house rules."""
        from accounts import checks  # noqa: F401  # deferred: models are loaded only now; importing registers
