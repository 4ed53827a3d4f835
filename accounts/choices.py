"""Choices that come from the world: timezones, countries, languages of the portal."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

TimezoneChoices = list[tuple[str, list[tuple[str, str]]]]


def timezones() -> TimezoneChoices:
    """The tz database's places by region, for a select with groups."""
    regions: dict[str, list[tuple[str, str]]] = {"": [("UTC", "UTC")]}
    for name in sorted(zoneinfo.available_timezones()):
        region, slash, place = name.partition("/")
        if slash and region not in {"Etc", "SystemV", "US", "posix", "right"}:
            regions.setdefault(region, []).append((name, place.replace("_", " ").replace("/", ", ")))
    return [(region or _("Universal"), places) for region, places in regions.items()]


def languages() -> list[tuple[str, str]]:
    """Languages the portal speaks, each under its own name."""
    return [(code, _own_name(code)) for code, _name in settings.LANGUAGES]


def countries() -> list[tuple[str, str]]:
    """ISO 3166-1 countries under their names in the active language."""
    return _countries(get_language() or "en")


@lru_cache(maxsize=16)
def _countries(language: str) -> list[tuple[str, str]]:
    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    no_country = {"ZZ", "XA", "XB", "EU", "EZ", "UN", "QO"}
    pairs = [(code, name) for code, name in names.items() if len(code) == 2 and code not in no_country]
    return sorted(pairs, key=lambda pair: pair[1].casefold())


def _own_name(code: str) -> str:
    try:
        return (Locale.parse(code, sep="-").get_display_name() or code).capitalize()
    except (UnknownLocaleError, ValueError):
        return code
