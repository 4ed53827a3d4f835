from __future__ import annotations

from cms.enums import Editable, Presence
from cms.models import ContentPage
from cms.zones import find_zone, zones_of
from tests.factories.cms import ContentPageFactory, block, republish


def test_zones_of_page_are_its_fields_and_then_its_blocks(page):
    zones = zones_of(page)

    assert [zone.key for zone in zones] == [
        "field:title",
        "field:subject",
        "field:preview_text",
        "lead",
        "offer",
        "extra",
        "contact",
    ]
    offer = find_zone(zones, "offer")
    assert (offer.kind, offer.editable, offer.presence, offer.max_length) == (
        "rich_text",
        Editable.OPEN,
        Presence.ALWAYS,
        40,
    )
    assert "bold" in offer.features


def test_zone_without_id_gets_one_when_its_page_is_saved(trees):
    page = ContentPageFactory(parent=trees.resellers, body=[("heading", {"content": "Hello"})])

    [key] = [zone.key for zone in zones_of(page) if not zone.is_field]

    assert key
    assert find_zone(zones_of(ContentPage.objects.get(pk=page.pk)), key) is not None
    assert find_zone(zones_of(republish(page, title="Other")), key) is not None


def test_hash_of_zone_changes_with_its_content_only(page):
    before = {zone.key: zone.hash for zone in zones_of(page)}

    page = republish(
        page,
        body=[
            block("heading", "Sell more firewalls", key="lead", guidance="New guidance", presence=Presence.DROPPABLE),
            block("rich_text", "<p>Ask us.</p>", key="offer"),
        ],
    )

    after = {zone.key: zone.hash for zone in zones_of(page)}
    assert after["lead"] == before["lead"]
    assert after["offer"] != before["offer"]


def test_zones_of_page_cost_no_query(page, django_assert_num_queries):
    page = ContentPage.objects.get(pk=page.pk)
    with django_assert_num_queries(0):
        zones_of(page)
