"""Words for dates and shares on the workspace's pages: ``{% load workspace %}``."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organization
from cms import theme
from cms.text import visible_text

register = template.Library()


def _days_until(moment: datetime) -> int:
    """Calendar days from today to ``moment`` in the active timezone; negative when it has passed."""
    return (timezone.localtime(moment).date() - timezone.localdate()).days


@register.filter
def due_words(moment: datetime) -> str:
    """How far away ``moment`` is, in days: "today", "tomorrow", "4 days", "2 days late"."""
    days = _days_until(moment)
    if moment < timezone.now():
        return ngettext("%(days)d day late", "%(days)d days late", -days) % {"days": -days} if days else _("late")
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


@register.filter
def due_class(moment: datetime) -> str:
    """Class of a due date: late, soon (three days or less) or neither."""
    if moment < timezone.now():
        return "due due-late"
    return "due due-soon" if _days_until(moment) <= 3 else "due"


@register.filter
def day(moment: datetime | None) -> str:
    """The day as people say it: "Friday" within a week, else "Fri, Dec 4", with the year when it is another."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    days = _days_until(moment)
    if 1 < days < 7:
        return date_format(local, "l")
    if local.year != timezone.localdate().year:
        return date_format(local, _("M j, Y"))
    return date_format(local, _("D, M j"))


@register.filter
def moment(value: datetime | None, zone: str = "") -> str:
    """Day and time, in ``zone`` (an IANA name) or the active timezone: "Fri, Dec 4, 09:30"."""
    if value is None:
        return ""
    local = timezone.localtime(value, zoneinfo.ZoneInfo(zone) if zone else None)
    form = _("D, M j, H:i") if local.year == timezone.localdate().year else _("M j, Y, H:i")
    return date_format(local, form)


@register.filter
def clock(value: datetime | None) -> str:
    """The time of day in the active timezone."""
    return date_format(timezone.localtime(value), "H:i") if value else ""


@register.filter
def when(value: datetime | None) -> str:
    """A past moment in a few words: "at 10:42" today, else the day."""
    if value is None:
        return ""
    if _days_until(value) == 0:
        return _("at %(time)s") % {"time": clock(value)}
    return _("on %(day)s") % {"day": date_format(timezone.localtime(value), _("M j"))}


@register.filter
def plain(value: Any) -> str:
    """The words of a zone's raw value, whatever its kind."""
    if isinstance(value, dict):
        return " · ".join(str(part) for part in value.values() if isinstance(part, str) and part)
    return visible_text(str(value or ""))


@register.filter
def duration(value: timedelta | None) -> str:
    """A rough length of time for people: "less than a minute", "12 minutes", "2 hours"."""
    if value is None:
        return ""
    minutes = int(value.total_seconds() // 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 90:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = round(minutes / 60)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


@register.filter
def get(mapping: dict[object, object], key: object) -> object:
    """``mapping[key]``, for keys that a template only has in a variable; nothing when it is missing."""
    return mapping.get(key)


@register.simple_tag
def brand_logo(organization: Organization) -> str:
    """Address of the organization's logo; empty when it has none."""
    brand = getattr(organization, "brand", None)
    return theme.logo_url(brand) if brand else ""


@register.filter
def seconds(value: int | None) -> str:
    """A number of seconds in rough words."""
    return duration(timedelta(seconds=value)) if value is not None else ""
