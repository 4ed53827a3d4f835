"""Cascades."""

from django.apps import AppConfig


class CascadeConfig(AppConfig):
    """Release, hops, waves, the delivery engine and the ledger."""

    name = "cascade"

    def ready(self) -> None:
        """Register what other layers ask for."""
        from cascade import access  # deferred: models are loaded only now
        from cascade.policies import register_policies  # deferred: as above

        register_policies()
        access.register()
