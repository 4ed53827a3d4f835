"""The portal's navigation as a page shows it. Apps register entries (``register``, of ``accounts.navigation``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.http import HttpRequest

from accounts.navigation import entries_for, register

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from accounts.viewer import Viewer

__all__ = ["Link", "links_for", "register"]


@dataclass(frozen=True)
class Link:
    """An entry as one page shows it."""

    label: str | Promise
    url: str
    icon: str
    count: int = 0
    is_current: bool = False


def links_for(request: HttpRequest, viewer: Viewer) -> list[Link]:
    """What ``viewer`` sees in the navigation, in order; the entry that leads to the current page is marked."""
    links = [
        Link(entry.label, entry.url, entry.icon, entry.count(viewer) if entry.count else 0)
        for entry in entries_for(viewer)
    ]
    leading = [link for link in links if _leads_to(link.url, request.path)]
    current = max(leading, key=lambda link: len(link.url), default=None)
    return [replace(link, is_current=link is current) for link in links]


def _leads_to(url: str, path: str) -> bool:
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
