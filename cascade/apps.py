"""Cascades."""

from django.apps import AppConfig


class CascadeConfig(AppConfig):
    """Release, hops, waves, the delivery engine and the ledger."""

    name = "cascade"
