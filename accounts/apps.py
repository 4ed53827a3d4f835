"""Accounts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Organizations, people, consent, brands and the policy registry; imports no app of ours."""

    name = "accounts"

    def ready(self) -> None:
        """Connect checks, receivers and rules."""
        from accounts import checks, navigation, people, receivers, rules  # noqa: F401  # deferred: models come first
        from accounts.imports import steps  # deferred: as above

        rules.register_rules()
        people.register_exporter("rows_of_imported_files", steps.rows_about)
        navigation.register(_("Network"), "network", "network", 60, lambda viewer: viewer.kind == "distributor")
        navigation.register(_("People"), "people", "people", 80, lambda viewer: viewer.organization is not None)
        navigation.register(_("Organization"), "organization", "building", 90, lambda viewer: viewer.can_manage)
