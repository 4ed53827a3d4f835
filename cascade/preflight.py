"""The checks before anything leaves: red ones stop a sending, amber ones are worth a look. Each says how to fix it.

Run when a person looks at the review page, when they press Send, and again by the engine at the scheduled minute: what
was fine on Monday may be recalled, paused or emptied on Friday.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cascade import hops
from cascade.audience import Audience, AudienceCounts
from cascade.enums import CLAIMING_KINDS, Exclusion, HopState, Tier, WaveKind
from cascade.freeze import audience_counts
from cascade.models import CascadeContent, Hop, Wave
from cms import adaptation
from cms.effective import EffectivePage, EffectiveZone, effective
from cms.text import plain_text

SUBJECT_LENGTH = 60  # what phones show of a subject line
MANY_EXCLUDED = 0.2  # share of an audience that gets no mail from which on somebody should look
_HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"', re.IGNORECASE)


class Level(StrEnum):
    """How much a finding matters."""

    RED = "red"
    AMBER = "amber"
    OK = "ok"


@dataclass(frozen=True)
class Check:
    """One finding, in words for the distributor; ``fix_url`` leads to where it is put right."""

    level: Level
    text: str
    fix_url: str = ""
    fix_label: str = ""


@dataclass(frozen=True)
class Report:
    """All findings, the red ones first."""

    checks: tuple[Check, ...]
    counts: AudienceCounts

    @property
    def red(self) -> list[Check]:
        """What stops the sending."""
        return [check for check in self.checks if check.level == Level.RED]

    @property
    def amber(self) -> list[Check]:
        """What is worth a look."""
        return [check for check in self.checks if check.level == Level.AMBER]

    @property
    def is_clear(self) -> bool:
        """Whether it may leave."""
        return not self.red


def check(hop: Hop, audience: Audience, *, kind: str = WaveKind.INITIAL, at: datetime | None = None) -> Report:
    """Everything that can be known before a wave of ``kind`` to ``audience`` leaves ``at`` (UTC; None: now)."""
    at = at or timezone.now()
    counts = audience_counts(hop, audience, kind=kind)
    groups = (
        _decision(hop),
        _content(hop),
        _sender(hop),
        _audience(hop, counts, kind),
        _dates(hop, at),
    )
    order = list(Level)
    found = [each for group in groups for each in group]
    return Report(checks=tuple(sorted(found, key=lambda each: order.index(each.level))), counts=counts)


def reason_against(wave: Wave) -> str:
    """The first red check against ``wave``, for the engine at the scheduled minute; empty when it may leave."""
    if wave.hop.tier != Tier.RESELLERS:
        return ""
    report = check(wave.hop, Audience.from_json(wave.audience), kind=wave.kind)
    return report.red[0].text if report.red else ""


# --- may it be sent at all ---------------------------------------------------------------------------------------
def _decision(hop: Hop) -> Iterator[Check]:
    if reason := hops.closed_because(hop):
        yield Check(Level.RED, reason)
    elif hop.state == HopState.DECLINED:
        yield _to(hop, Level.RED, _("You declined this item."), "workspace_adapt", _("Accept it"))
    elif hop.state == HopState.OFFERED:
        yield _to(hop, Level.RED, _("Nobody has accepted this item yet."), "workspace_adapt", _("Accept it"))


# --- what it says ------------------------------------------------------------------------------------------------
def _content(hop: Hop) -> Iterator[Check]:
    contents = list(hop.cascade.contents.select_related("locale", "page").order_by("locale__language_code"))
    found: list[Check] = []
    for content in contents:
        page = content.page.specific
        if not page.live:
            found.append(Check(Level.RED, _("The vendor took the page offline.")))
            continue
        shown = effective(page, hop.organization, content.locale)
        prefix = f"{content.locale.get_display_name()}: " if len(contents) > 1 else ""
        found += _page_checks(hop, content, shown, prefix)
    if not contents:
        found.append(Check(Level.RED, _("The item has no content.")))
    yield from found
    if not found:
        yield Check(Level.OK, _("Every part is filled and within its length."))


def _page_checks(hop: Hop, content: CascadeContent, shown: EffectivePage, prefix: str) -> Iterator[Check]:
    def found(level: Level, text: str, zone: int | None = None) -> Check:
        url = reverse("workspace_adapt", args=[hop.pk]) + f"?language={content.locale.language_code}"
        return Check(level, prefix + text, f"{url}#zone-{zone}" if zone is not None else url, _("Go there"))

    places = {zone.key: number for number, zone in enumerate(shown.zones)}
    for zone in adaptation.missing_required(shown.page, hop.organization, content.locale):
        yield found(Level.RED, _("“%(zone)s” must be filled.") % {"zone": zone.label}, places[zone.key])
    for shown_zone in shown.zones:
        if not shown_zone.is_dropped:
            for level, text in _zone_checks(shown_zone):
                yield found(level, text, places[shown_zone.key])
    if open_conflicts := len(adaptation.conflicts(shown.page, hop.organization, content.locale)):
        text = ngettext(
            "The vendor changed %(n)d part after you did. Until you decide, your text stands.",
            "The vendor changed %(n)d parts after you did. Until you decide, your texts stand.",
            open_conflicts,
        )
        yield found(Level.AMBER, text % {"n": open_conflicts})
    subject = shown.mail_subject.strip()
    if not subject:
        yield found(Level.RED, _("The mail has no subject."), places.get("field:subject"))
    elif len(subject) > SUBJECT_LENGTH:
        text = _("The subject has %(n)d characters; phones show about %(limit)d.")
        yield found(Level.AMBER, text % {"n": len(subject), "limit": SUBJECT_LENGTH}, places.get("field:subject"))
    if not shown.preview_text.strip() and not shown.summary.strip():
        text = _("There is no preview text; mail programs will show the first words they find.")
        yield found(Level.AMBER, text, places.get("field:preview_text"))


def _zone_checks(shown: EffectiveZone) -> Iterator[tuple[Level, str]]:
    """Findings about one zone's own text: the vendor's is the vendor's matter."""
    if not shown.is_own:
        return
    zone = shown.zone
    over = len(plain_text(zone.kind, shown.value)) - (zone.max_length or 10**9)
    if over > 0:
        text = ngettext("“%(zone)s” is %(n)d character too long.", "“%(zone)s” is %(n)d characters too long.", over)
        yield Level.RED, text % {"zone": zone.label, "n": over}
    for link in _links(shown):
        parts = urlsplit(link)
        if parts.scheme in {"https", "mailto", "tel"}:
            continue
        if parts.scheme == "http":
            text = _("“%(zone)s” links to %(host)s without https; many companies block that.")
            yield Level.AMBER, text % {"zone": zone.label, "host": parts.netloc}
        else:
            text = _("“%(zone)s” has a link that leads nowhere: %(link)s")
            yield Level.RED, text % {"zone": zone.label, "link": link[:60]}


def _links(shown: EffectiveZone) -> list[str]:
    if shown.zone.kind == "rich_text":
        return [link.replace("&amp;", "&") for link in _HREF.findall(shown.value or "")]
    if shown.zone.kind == "button" and shown.value:
        return [shown.value.get("url", "")]
    return []


# --- who sends it ------------------------------------------------------------------------------------------------
def _sender(hop: Hop) -> Iterator[Check]:
    brand = getattr(hop.organization, "brand", None)
    url = reverse("brand")
    if brand is None or not brand.postal_address.strip():
        text = _("Your brand has no postal address. Every mail must carry one.")
        yield Check(Level.RED, text, url, _("Edit your brand"))
    if brand is None or not brand.reply_to:
        yield Check(
            Level.RED, _("Your brand has no reply-to address, so nobody could answer."), url, _("Edit your brand")
        )
    if brand is not None and not brand.sender_name:
        text = _("There is no sender name; the mail comes from “%(name)s”.")
        yield Check(Level.AMBER, text % {"name": brand.name}, url, _("Edit your brand"))
    if brand is not None and not brand.logo:
        yield Check(Level.AMBER, _("There is no logo; the mail shows your name instead."), url, _("Edit your brand"))
    if brand is not None and brand.postal_address.strip() and brand.reply_to:
        yield Check(
            Level.OK, _("Sender: %(name)s, replies to %(reply_to)s.") % {"name": brand.name, "reply_to": brand.reply_to}
        )


# --- who gets it -------------------------------------------------------------------------------------------------
def _audience(hop: Hop, counts: AudienceCounts, kind: str) -> Iterator[Check]:
    name, label = (
        ("workspace_audience", _("Change the audience")) if kind in CLAIMING_KINDS else ("workspace_results", "")
    )
    if not counts.people:
        yield _to(hop, Level.RED, _("Nobody in this audience can be mailed."), name, label)
        return
    named = counts.people + counts.excluded_total
    if counts.excluded_total / named > MANY_EXCLUDED:
        text = _("%(n)d of %(all)d people will not get it.") % {"n": counts.excluded_total, "all": named}
        if without := counts.excluded.get(Exclusion.NO_CONSENT):
            text += " " + _("%(n)d have no consent on record.") % {"n": without}
        yield _to(hop, Level.AMBER, text, name, label)
    else:
        people = ngettext("%(n)d person", "%(n)d people", counts.people) % {"n": counts.people}
        resellers = ngettext("%(n)d reseller", "%(n)d resellers", counts.resellers) % {"n": counts.resellers}
        text = _("%(people)s at %(resellers)s will get it.") % {"people": people, "resellers": resellers}
        yield Check(Level.OK, text)


# --- when --------------------------------------------------------------------------------------------------------
def _dates(hop: Hop, at: datetime) -> Iterator[Check]:
    cascade = hop.cascade
    if at > cascade.due_at:
        yield Check(Level.AMBER, _("The resellers' due date will have passed when this leaves."))
    elif at > cascade.pass_on_by and hop.first_sent_at is None:
        yield Check(Level.AMBER, _("The vendor asked for this earlier. Sending late is still possible."))
    else:
        day = date_format(timezone.localtime(cascade.pass_on_by), "DATE_FORMAT")
        yield Check(Level.OK, _("In time: the vendor asked for it by %(day)s.") % {"day": day})


def _to(hop: Hop, level: Level, text: str, url_name: str, label: str) -> Check:
    return Check(level, text, reverse(url_name, args=[hop.pk]), label)
