"""Cascades."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CascadeConfig(AppConfig):
    """Release, hops, waves, the delivery engine and the ledger."""

    name = "cascade"

    def ready(self) -> None:
        """Register what other layers and the engine ask for."""
        from accounts.admin_access import allow  # deferred, like all below: models are loaded only now
        from accounts.enums import OrganizationKind
        from accounts.navigation import register
        from cascade import access, carried, personal
        from cascade.policies import register_policies
        from cascade.preflight import reason_against
        from cascade.waves import register_check
        from cms.guard import register_checker

        register_policies()
        access.register()
        personal.register()
        allow("cascades:*")
        register_checker(carried.reasons_against)
        register_check(reason_against)
        register(
            _("Workspace"), "workspace_inbox", "inbox", 10, lambda viewer: viewer.kind == OrganizationKind.DISTRIBUTOR
        )
        register(_("To do"), "reseller_home", "home", 10, lambda viewer: viewer.kind == OrganizationKind.RESELLER)
