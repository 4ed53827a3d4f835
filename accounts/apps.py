"""Accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, people, consent, brands and the policy registry; imports no app of ours."""

    name = "accounts"

    def ready(self) -> None:
        """Connect checks, receivers and rules."""
        from accounts import checks, receivers, rules  # noqa: F401  # deferred: models are loaded only now

        rules.register_rules()
