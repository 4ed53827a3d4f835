"""Accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, their network, people, consent, brands and the policy registry. The ground: imports no app of ours."""

    name = "accounts"
