"""The one way to read a zoned page: the vendor's live page with an organization's differences laid over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wagtail.blocks import StreamValue
from wagtail.models import Locale

from cms.models import Adaptation, ZonedPage, ZoneEdit
from cms.text import plain_text, rich_text_to_text, underlined
from cms.zones import FIELD_PREFIX, Zone, zones_of

if TYPE_CHECKING:
    from accounts.models import Organization, User


@dataclass(frozen=True)
class EffectiveZone:
    """A zone as an organization's readers get it.

    ``value`` is what they see: the organization's own where it may and did write one, else the vendor's.
    ``version`` is what a save must name (0: nobody changed this zone yet).
    """

    zone: Zone
    value: Any
    is_own: bool
    is_dropped: bool
    is_behind: bool  # the vendor changed this zone after the organization did
    version: int
    edited_by: User | None
    edited_at: datetime | None

    @property
    def key(self) -> str:
        """The zone's key."""
        return self.zone.key


@dataclass(frozen=True)
class EffectivePage:
    """What one organization's readers get of a page. ``organization`` is None for the vendor's own.

    ``updated_at`` (UTC) is when the vendor or the organization last changed something; None before publishing.
    """

    page: ZonedPage
    organization: Organization | None
    locale: Locale
    title: str
    subject: str
    preview_text: str
    summary: str
    body: StreamValue
    zones: tuple[EffectiveZone, ...]
    updated_at: datetime | None
    is_adapted: bool

    def zone(self, key: str) -> EffectiveZone:
        """The zone with ``key``. Raises KeyError."""
        for zone in self.zones:
            if zone.key == key:
                return zone
        raise KeyError(key)

    @property
    def mail_subject(self) -> str:
        """The subject line of a mail: the title while no subject is written."""
        return self.subject or self.title


def effective(page: ZonedPage, organization: Organization | None, locale: Locale | None = None) -> EffectivePage:
    """``page`` as readers of ``organization`` get it in ``locale`` (the page's own by default). Never changes ``page``.

    Costs one query for an organization and none for the vendor's own (``organization=None``); ``page`` must be
    specific already, or its fields are not there.
    """
    locale = locale or page.locale
    if organization is None:
        return overlay(page, None, locale, None, ())
    edits = list(
        ZoneEdit.objects.filter(
            adaptation__page=page.pk, adaptation__organization=organization, adaptation__locale=locale, archived_at=None
        ).select_related("adaptation", "edited_by")
    )
    return overlay(page, organization, locale, edits[0].adaptation if edits else None, edits)


def effective_many(pages: Iterable[ZonedPage], organization: Organization | None) -> list[EffectivePage]:
    """As ``effective`` for a whole list, each in its own language, with one query for all of them."""
    pages = list(pages)
    edits: dict[tuple[int, int], list[ZoneEdit]] = {}
    if organization is not None and pages:
        rows = ZoneEdit.objects.filter(
            adaptation__page__in=[page.pk for page in pages], adaptation__organization=organization, archived_at=None
        ).select_related("adaptation", "edited_by")
        for edit in rows:
            edits.setdefault((edit.adaptation.page_id, edit.adaptation.locale_id), []).append(edit)
    locales = {locale.pk: locale for locale in Locale.objects.all()} if pages else {}
    result = []
    for page in pages:
        own = edits.get((page.pk, page.locale_id), [])
        adaptation = own[0].adaptation if own else None
        result.append(overlay(page, organization, locales[page.locale_id], adaptation, own))
    return result


def overlay(
    page: ZonedPage,
    organization: Organization | None,
    locale: Locale,
    adaptation: Adaptation | None,
    edits: Iterable[ZoneEdit],
) -> EffectivePage:
    """Lay ``edits`` over ``page``; no query. A locked zone is always the vendor's, whatever an edit says."""
    by_key = {edit.zone_key: edit for edit in edits}
    zones = tuple(_effective_zone(zone, by_key.get(zone.key)) for zone in zones_of(page))
    values = {zone.key: zone for zone in zones}
    times = [page.last_published_at, adaptation.updated_at if adaptation else None]
    return EffectivePage(
        page=page,
        organization=organization,
        locale=locale,
        title=_field(values, "title"),
        subject=_field(values, "subject"),
        preview_text=_field(values, "preview_text"),
        summary=page.summary,
        body=_body(page.body, values),
        zones=zones,
        updated_at=max((time for time in times if time), default=None),
        is_adapted=any(zone.is_own or zone.is_dropped for zone in zones),
    )


def _effective_zone(zone: Zone, edit: ZoneEdit | None) -> EffectiveZone:
    if edit is None:
        return EffectiveZone(zone, zone.value, False, False, False, 0, None, None)
    is_dropped = edit.is_dropped and zone.is_droppable
    is_own = not edit.is_dropped and zone.is_open
    return EffectiveZone(
        zone=zone,
        value=edit.value if is_own else zone.value,
        is_own=is_own,
        is_dropped=is_dropped,
        is_behind=(is_own or is_dropped) and edit.base_hash != zone.hash,
        version=edit.version,
        edited_by=edit.edited_by,
        edited_at=edit.edited_at,
    )


def _field(zones: Mapping[str, EffectiveZone], name: str) -> str:
    zone = zones[FIELD_PREFIX + name]
    return "" if zone.is_dropped else zone.value


def _body(body: StreamValue, zones: Mapping[str, EffectiveZone]) -> StreamValue:
    """A new stream with the effective contents; the vendor's own stream and its parts are left as they are."""
    raw = []
    for block in body.get_prep_value():
        zone = zones.get(block["id"])
        if zone is None or zone.is_dropped:
            continue
        raw.append({**block, "value": {**block["value"], "content": zone.value}} if zone.is_own else dict(block))
    return StreamValue(body.stream_block, raw, is_lazy=True)


def body_text(page: EffectivePage, *, base_url: str = "") -> str:
    """The body as written plain text: headings underlined, links and files on lines of their own, lists, quotes.

    ``base_url`` (no trailing slash) makes links to our own pages absolute.
    """
    parts = [_zone_as_text(zone, base_url) for zone in page.zones if not zone.zone.is_field and not zone.is_dropped]
    return "\n\n".join(part for part in parts if part)


def search_text(page: EffectivePage) -> str:
    """Every word a reader of ``page`` sees, on one line."""
    parts = [page.summary]
    parts += [plain_text(zone.zone.kind, zone.value) for zone in page.zones if not zone.is_dropped]
    return " ".join(part for part in parts if part)


def _zone_as_text(zone: EffectiveZone, base_url: str) -> str:
    kind, value = zone.zone.kind, zone.value
    if kind == "rich_text":
        return rich_text_to_text(value, base_url=base_url)
    if kind == "heading":
        return underlined(value or "")
    if kind == "button" and value:
        return f"{value.get('label', '')}:\n{value.get('url', '')}"
    if kind == "quote" and value and value.get("text"):
        lines = [f"> {line}" for line in value["text"].splitlines()]
        if value.get("attribution"):
            lines.append(f"> — {value['attribution']}")
        return "\n".join(lines)
    if kind == "image" and value:
        return value.get("caption") or (f"[{value['alt']}]" if value.get("alt") else "")
    return plain_text(kind, value)
