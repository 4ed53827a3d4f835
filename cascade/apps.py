"""Cascades."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CascadeConfig(AppConfig):
    """Release, hops, waves, the delivery engine and the ledger."""

    name = "cascade"

    def ready(self) -> None:
        """Register what other layers ask for."""
        from accounts.enums import OrganizationKind  # deferred: models are loaded only now
        from accounts.navigation import register  # deferred: as above
        from cascade import access  # deferred: as above
        from cascade.policies import register_policies  # deferred: as above

        register_policies()
        access.register()
        register(_("To do"), "reseller_home", "home", 10, lambda viewer: viewer.kind == OrganizationKind.RESELLER)
