"""System checks that no single app can make."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register
def no_mailbox_in_production(**kwargs: Any) -> list[CheckMessage]:
    """The mailbox shows every tenant's messages, tokens included, to whoever asks."""
    if settings.DEPLOYMENT == "production" and settings.MAILBOX_ENABLED:
        return [
            Error(
                "The demo's mailbox is on in production.",
                hint="Remove MAILBOX_ENABLED from the environment; EMAIL_URL names the relay.",
                id="onward.E001",
            )
        ]
    return []
