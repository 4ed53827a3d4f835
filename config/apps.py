"""The app that holds what imports every other app: the demo, its mailbox and its seed."""

from django.apps import AppConfig


class OnwardConfig(AppConfig):
    """Registers the demo's management commands and system checks."""

    name = "config"
    label = "onward"

    def ready(self) -> None:
        """Register the system checks."""
        from config import checks  # noqa: F401  deferred: apps must be ready
