"""Accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, people, consent, brands and the policy registry; imports no app of ours."""

    name = "accounts"
