"""A page of the reseller level with zones of every policy."""

from __future__ import annotations

import pytest

from cms.enums import Presence
from cms.models import ContentPage
from cms.trees import Trees
from tests.factories.cms import ContentPageFactory, block, open_block
from tests.factories.cms import trees as ensure


@pytest.fixture
def trees(db) -> Trees:
    return ensure()


@pytest.fixture
def page(trees) -> ContentPage:
    """Zones: ``lead`` locked, ``offer`` open (40 characters), ``extra`` droppable, ``contact`` to be filled."""
    return ContentPageFactory(
        title="New firewall",
        subject="Meet the new firewall",
        body=[
            block("heading", "Sell more firewalls", key="lead"),
            open_block("rich_text", "<p>Ask your distributor.</p>", key="offer", max_length=40),
            open_block("quote", {"text": "It works.", "attribution": "Ann"}, key="extra", presence=Presence.DROPPABLE),
            open_block("rich_text", "", key="contact", presence=Presence.REQUIRED, guidance="Whom to call"),
        ],
    )
