"""The verbs of living adaptation: a distributor's own words inside the open zones of the vendor's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.blocks import StreamValue
from wagtail.models import Locale, Revision

from accounts import audit
from accounts.models import Organization
from accounts.policies import NotAllowed
from cms import access
from cms.cleaning import clean_value
from cms.effective import EffectiveZone, effective
from cms.enums import Presence
from cms.models import Adaptation, ZonedPage, ZoneEdit
from cms.zones import FIELD_PREFIX, Zone, content_hash, find_zone, is_empty, zones_of, zones_of_stream

if TYPE_CHECKING:
    from accounts.models import User


class EditRefused(Exception):
    """The edit cannot be taken; the text says why and may be shown to the person."""


class LockedZone(EditRefused):
    """The vendor keeps this zone as it is. Only a tampered form gets here; the attempt is in the audit log."""


class UnknownZone(EditRefused):
    """The page has no such zone (any more)."""


class StaleEdit(EditRefused):
    """Somebody changed the zone after the person opened it. ``by`` (None: somebody since erased) and ``at`` (UTC)
    say who and when; both are None when the change was undone."""

    def __init__(self, by: User | None, at: datetime | None) -> None:
        self.by = by
        self.at = at
        if at is None:
            message = _("A colleague went back to the vendor's text meanwhile. Look at it before you save.")
        elif by is None:
            message = _("This was changed meanwhile. Look at it before you save.")
        else:
            message = _("%(name)s changed this meanwhile. Look at it before you save.") % {"name": by.get_full_name()}
        super().__init__(message)


class AdaptationState(StrEnum):
    """Whether a person has to look again."""

    CURRENT = "current"
    BEHIND = "behind"


@dataclass(frozen=True)
class Conflict:
    """A zone that both sides changed. ``was`` is None where the vendor's old revision is gone; ``mine`` is None and
    ``is_dropped`` true where the organization left it out. Values are raw."""

    zone: Zone
    was: Any
    theirs: Any
    mine: Any
    is_dropped: bool
    edit: ZoneEdit


@dataclass(frozen=True)
class AdaptationStatus:
    """Numbers of one adaptation: own zones, left-out zones, open conflicts, edits kept as history, zones to fill."""

    state: AdaptationState
    own: int
    dropped: int
    conflicts: int
    archived: int
    missing: int
    updated_at: datetime | None

    @property
    def is_adapted(self) -> bool:
        """Whether anything differs from the vendor's page."""
        return bool(self.own or self.dropped)


def save_edit(
    page: ZonedPage,
    organization: Organization,
    locale: Locale,
    zone_key: str,
    value: Any = None,
    *,
    dropped: bool = False,
    by: User,
    version: int = 0,
) -> ZoneEdit:
    """Write ``organization``'s own ``value`` of a zone, or leave the zone out with ``dropped``.

    ``version`` is the version the person saw (0: none). A value equal to the vendor's is no difference: an existing
    edit goes away and an unsaved ZoneEdit of version 0 comes back.

    Raises: NotAllowed; LockedZone (logged); UnknownZone; StaleEdit; ValidationError (emptied, overlong, bad address,
    foreign image, control characters) with a message for the field.
    """
    zone = _zone(page, organization, zone_key, by)
    if dropped and not zone.is_droppable:
        _refuse(page, organization, zone, by, "drop")
        raise LockedZone(_("The vendor wants this part to stay."))
    if not dropped and not zone.is_open:
        _refuse(page, organization, zone, by, "edit")
        raise LockedZone(_("The vendor keeps this part as it is."))
    cleaned = None if dropped else clean_value(zone, value, organization)
    with transaction.atomic():
        adaptation = _locked_adaptation(page, organization, locale)
        edit = _checked_edit(adaptation, zone_key, version)
        _touch(adaptation, by)
        if not dropped and content_hash(zone.kind, cleaned) == zone.hash:
            if edit.pk:
                edit.delete()
            return ZoneEdit(adaptation=adaptation, zone_key=zone_key, value=zone.value, base_hash=zone.hash, version=0)
        edit.value, edit.is_dropped = cleaned, dropped
        _rebase(edit, zone, page)
        edit.version = version + 1
        edit.edited_by, edit.edited_at = by, timezone.now()
        edit.save()
        return edit


def reset_edit(
    page: ZonedPage, organization: Organization, locale: Locale, zone_key: str, *, by: User, version: int = 0
) -> None:
    """Go back to the vendor's own zone. Doing it twice changes nothing. Raises: NotAllowed, UnknownZone, StaleEdit."""
    _zone(page, organization, zone_key, by)
    with transaction.atomic():
        adaptation = _locked_adaptation(page, organization, locale)
        edit = adaptation.edits.filter(zone_key=zone_key, archived_at=None).first()
        if edit is None:
            return
        _checked_edit(adaptation, zone_key, version)
        edit.delete()
        _touch(adaptation, by)


def conflicts(page: ZonedPage, organization: Organization, locale: Locale) -> list[Conflict]:
    """Zones that the vendor changed after the organization had, in reading order, for a side-by-side choice.

    Where both came to the same content there is nothing to choose, so it is not listed.
    """
    found = []
    edits = _live_edits(page, organization, locale)
    for zone in zones_of(page):
        edit = edits.get(zone.key)
        if edit is not None and _is_conflict(zone, edit):
            found.append(
                Conflict(
                    zone=zone,
                    was=_base_value(edit, page),
                    theirs=zone.value,
                    mine=edit.value,
                    is_dropped=edit.is_dropped,
                    edit=edit,
                )
            )
    return found


def resolve_conflict(
    page: ZonedPage,
    organization: Organization,
    locale: Locale,
    zone_key: str,
    *,
    take: Literal["vendor", "mine"],
    by: User,
    version: int | None = None,
) -> None:
    """End a conflict: ``vendor`` drops the own text, ``mine`` keeps it as made against the vendor's new one.

    ``version`` None accepts whatever is there. Raises: NotAllowed, UnknownZone, StaleEdit.
    """
    zone = _zone(page, organization, zone_key, by)
    with transaction.atomic():
        adaptation = _locked_adaptation(page, organization, locale)
        edit = adaptation.edits.select_related("edited_by").filter(zone_key=zone_key, archived_at=None).first()
        if edit is None:
            return
        if version is not None and edit.version != version:
            raise StaleEdit(edit.edited_by, edit.edited_at)
        if take == "vendor":
            edit.delete()
        else:
            _rebase(edit, zone, page)
            edit.version += 1
            edit.edited_by, edit.edited_at = by, timezone.now()
            edit.save(
                update_fields=["base_hash", "base_revision", "version", "edited_by", "edited_at"],
            )
        _touch(adaptation, by)


def status(page: ZonedPage, organization: Organization, locale: Locale) -> AdaptationStatus:
    """Where the organization's adaptation of ``page`` stands. Two queries."""
    shown = effective(page, organization, locale)
    rows = ZoneEdit.objects.filter(
        adaptation__page=page.pk, adaptation__organization=organization, adaptation__locale=locale
    ).values_list("zone_key", "archived_at", "adaptation__updated_at")
    edits = list(rows)
    known = {zone.key for zone in shown.zones}
    archived = sum(1 for key, archived_at, _at in edits if archived_at is not None or key not in known)
    behind = sum(zone.is_behind for zone in shown.zones)
    return AdaptationStatus(
        state=AdaptationState.BEHIND if behind else AdaptationState.CURRENT,
        own=sum(zone.is_own for zone in shown.zones),
        dropped=sum(zone.is_dropped for zone in shown.zones),
        conflicts=behind,
        archived=archived,
        missing=len(_missing(shown.zones)),
        updated_at=max((at for _key, _archived_at, at in edits), default=None),
    )


def missing_required(page: ZonedPage, organization: Organization, locale: Locale) -> list[Zone]:
    """Zones that must be filled and are not: nothing may be sent before they are."""
    return _missing(effective(page, organization, locale).zones)


def archived_edits(page: ZonedPage, organization: Organization, locale: Locale) -> list[ZoneEdit]:
    """Own texts of zones that the vendor removed, the newest first: kept, so that nothing written is lost."""
    return list(
        ZoneEdit.objects.filter(
            adaptation__page=page.pk, adaptation__organization=organization, adaptation__locale=locale
        )
        .exclude(archived_at=None)
        .select_related("edited_by")
        .order_by("-archived_at", "-pk")
    )


@transaction.atomic
def follow_page(page: ZonedPage) -> int:
    """After ``page`` was published: put edits of vanished zones into history, and take back those whose zone is here
    again. Edits that equal the vendor's new content are no differences any more. Returns how many rows changed."""
    zones = {zone.key: zone for zone in zones_of(page)}
    edits = list(ZoneEdit.objects.filter(adaptation__page=page.pk).order_by("-archived_at", "-pk"))
    live = {(edit.adaptation_id, edit.zone_key) for edit in edits if edit.archived_at is None}
    changed, now = 0, timezone.now()
    for edit in edits:
        zone = zones.get(edit.zone_key)
        if edit.archived_at is None:
            if zone is None:
                edit.archived_at = now
                edit.save(update_fields=["archived_at"])
                changed += 1
            elif not edit.is_dropped and content_hash(zone.kind, edit.value) == zone.hash:
                edit.delete()
                changed += 1
        elif zone is not None and (edit.adaptation_id, edit.zone_key) not in live:
            edit.archived_at = None
            edit.save(update_fields=["archived_at"])
            live.add((edit.adaptation_id, edit.zone_key))
            changed += 1
    return changed


def _zone(page: ZonedPage, organization: Organization, key: str, by: User) -> Zone:
    """The zone with ``key``, for a person who may adapt this page for ``organization``."""
    if not by.manages(organization):
        raise NotAllowed(_("You may not change texts for this organization."))
    if not access.visible_pages(by).filter(pk=page.pk).exists():
        raise NotAllowed(_("You may not see this page."))
    zone = find_zone(zones_of(page), key)
    if zone is None:
        raise UnknownZone(_("The vendor removed this part."))
    return zone


def _refuse(page: ZonedPage, organization: Organization, zone: Zone, by: User, tried: str) -> None:
    audit.record("zone.refused", by=by, owner=organization, obj=page, zone=zone.key, tried=tried, reason="locked")


def _locked_adaptation(page: ZonedPage, organization: Organization, locale: Locale) -> Adaptation:
    """The adaptation's row, locked for this transaction so that two saves of one zone follow one another."""
    Adaptation.objects.get_or_create(page_id=page.pk, organization=organization, locale=locale)
    return Adaptation.objects.select_for_update().get(page_id=page.pk, organization=organization, locale=locale)


def _checked_edit(adaptation: Adaptation, zone_key: str, version: int) -> ZoneEdit:
    """The live edit of the zone, or a new one; raises StaleEdit unless it is still as the person saw it."""
    edit = adaptation.edits.select_related("edited_by").filter(zone_key=zone_key, archived_at=None).first()
    if edit is None:
        if version:
            raise StaleEdit(None, None)
        return ZoneEdit(adaptation=adaptation, zone_key=zone_key)
    if edit.version != version:
        raise StaleEdit(edit.edited_by, edit.edited_at)
    return edit


def _rebase(edit: ZoneEdit, zone: Zone, page: ZonedPage) -> None:
    edit.base_hash = zone.hash
    edit.base_revision_id = page.live_revision_id


def _touch(adaptation: Adaptation, by: User) -> None:
    adaptation.updated_at, adaptation.updated_by = timezone.now(), by
    adaptation.save(update_fields=["updated_at", "updated_by"])


def _live_edits(page: ZonedPage, organization: Organization, locale: Locale) -> dict[str, ZoneEdit]:
    edits = ZoneEdit.objects.filter(
        adaptation__page=page.pk, adaptation__organization=organization, adaptation__locale=locale, archived_at=None
    ).select_related("base_revision", "edited_by")
    return {edit.zone_key: edit for edit in edits}


def _is_conflict(zone: Zone, edit: ZoneEdit) -> bool:
    applies = zone.is_droppable if edit.is_dropped else zone.is_open
    same = not edit.is_dropped and content_hash(zone.kind, edit.value) == zone.hash
    return applies and not same and edit.base_hash != zone.hash


def _base_value(edit: ZoneEdit, page: ZonedPage) -> Any:
    """The vendor's zone as it was when the edit was made, read from the revision's own record."""
    revision: Revision | None = edit.base_revision
    if revision is None:
        return None
    if edit.zone_key.startswith(FIELD_PREFIX):
        return revision.content.get(edit.zone_key.removeprefix(FIELD_PREFIX))
    body = page._meta.get_field("body").to_python(revision.content.get("body") or "[]")
    if not isinstance(body, StreamValue):
        return None
    zone = find_zone(zones_of_stream(body), edit.zone_key)
    return zone.value if zone else None


def _missing(zones: tuple[EffectiveZone, ...]) -> list[Zone]:
    return [
        shown.zone
        for shown in zones
        if shown.zone.presence == Presence.REQUIRED and is_empty(shown.zone.kind, shown.value)
    ]
