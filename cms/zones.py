"""Zones of a page: its top-level blocks and its open fields, each with what a distributor may do with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from wagtail.blocks import StreamValue

from cms.blocks import RICH_TEXT_FEATURES
from cms.enums import Editable, Presence
from cms.models import ZonedPage
from cms.text import plain_text

FIELD_PREFIX = "field:"
FIELD_KIND = "field"

# A page cannot be without a title or subject; its preview text may be left out.
_FIELD_PRESENCE = {"title": Presence.ALWAYS, "subject": Presence.ALWAYS, "preview_text": Presence.DROPPABLE}


@dataclass(frozen=True)
class Zone:
    """One zone of a page as the vendor has it.

    ``key`` is the StreamField block id, or ``field:<name>``; ``kind`` the block type, or ``field``; ``value`` the raw
    JSON of its content (never to be changed in place); ``hash`` is over content and block type only, so that a new
    guidance or lock is no conflict. ``max_length`` counts characters without tags.
    """

    key: str
    kind: str
    label: str
    editable: Editable
    presence: Presence
    guidance: str
    max_length: int | None
    features: tuple[str, ...]
    value: Any
    hash: str

    @property
    def is_open(self) -> bool:
        """Whether a distributor may write its own content."""
        return self.editable == Editable.OPEN

    @property
    def is_droppable(self) -> bool:
        """Whether a distributor may leave it out."""
        return self.presence == Presence.DROPPABLE

    @property
    def is_field(self) -> bool:
        """Whether this is a field of the page rather than a block of its body."""
        return self.kind == FIELD_KIND

    @property
    def is_adaptable(self) -> bool:
        """Whether a distributor may change anything about it."""
        return self.is_open or self.is_droppable


def zones_of(page: ZonedPage) -> list[Zone]:
    """The zones of ``page`` as the vendor has them, fields first, then the body in reading order. No query."""
    return [*_field_zones(page), *zones_of_stream(page.body)]


def zones_of_stream(body: StreamValue) -> list[Zone]:
    """The zones of a body alone. Blocks that were never saved get their id here, as saving would give it."""
    blocks = body.stream_block.child_blocks
    return [_block_zone(raw, blocks[raw["type"]]) for raw in body.get_prep_value() if raw["type"] in blocks]


def find_zone(zones: Iterable[Zone], key: str) -> Zone | None:
    """The zone with ``key``, if it is there."""
    return next((zone for zone in zones if zone.key == key), None)


def content_hash(kind: str, value: Any) -> str:
    """64 hex digits that stay equal while the content of a zone does; empty parts and key order do not count."""
    text = json.dumps([kind, _canonical(value)], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_empty(kind: str, value: Any) -> bool:
    """Whether ``value`` would leave nothing to see in a zone of ``kind``."""
    if value in (None, "", {}):
        return True
    if kind == "image":
        return not value.get("image")
    if kind == "document":
        return not value.get("document")
    if kind == "button":
        return not (value.get("label") and value.get("url"))
    return not plain_text(kind, value).strip()


def _canonical(value: Any) -> Any:
    """``value`` without what means nothing: absent, null and empty parts are the same."""
    if isinstance(value, dict):
        return {key: _canonical(part) for key, part in value.items() if part not in (None, "")}
    return "" if value is None else str(value) if isinstance(value, Promise) else value


def _field_zones(page: ZonedPage) -> list[Zone]:
    zones = []
    for name in page.FIELD_ZONES:
        field = page._meta.get_field(name)
        value = getattr(page, name)
        is_open = getattr(page, f"{name}_is_open")
        zones.append(
            Zone(
                key=FIELD_PREFIX + name,
                kind=FIELD_KIND,
                label=str(field.verbose_name).capitalize(),
                editable=Editable.OPEN if is_open else Editable.LOCKED,
                presence=_FIELD_PRESENCE.get(name, Presence.ALWAYS) if is_open else Presence.ALWAYS,
                guidance="",
                max_length=field.max_length,
                features=(),
                value=value,
                hash=content_hash(FIELD_KIND, value),
            )
        )
    return zones


def _block_zone(raw: dict[str, Any], block: Any) -> Zone:
    settings: dict[str, Any] = raw["value"]
    content = settings.get("content")
    return Zone(
        key=raw["id"],
        kind=raw["type"],
        label=str(block.label),
        editable=Editable(settings.get("editable") or Editable.LOCKED),
        presence=Presence(settings.get("presence") or Presence.ALWAYS),
        guidance=settings.get("guidance") or "",
        max_length=settings.get("max_length"),
        features=tuple(RICH_TEXT_FEATURES) if raw["type"] == "rich_text" else (),
        value=content,
        hash=content_hash(raw["type"], content),
    )
