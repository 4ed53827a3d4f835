"""Cascades."""

from django.apps import AppConfig


class CascadeConfig(AppConfig):
    """Release, hops, waves, the delivery engine and the ledger."""

    name = "cascade"

    def ready(self) -> None:
        """Register what other layers ask for."""
        from cascade.policies import register_policies  # deferred: models are loaded only now

        register_policies()
