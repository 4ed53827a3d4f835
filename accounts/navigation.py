"""The portal's navigation: each app registers its entries in ``AppConfig.ready()``; the shell shows what applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from accounts.viewer import Viewer


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation; ``icon`` names a symbol of the shell's sprite."""

    label: str | Promise
    url_name: str
    icon: str
    order: int
    predicate: Callable[[Viewer], bool]
    count: Callable[[Viewer], int] | None = None

    @property
    def url(self) -> str:
        """Where it leads."""
        return reverse(self.url_name)


_entries: dict[str, Entry] = {}


def register(
    label: str | Promise,
    url_name: str,
    icon: str,
    order: int,
    predicate: Callable[[Viewer], bool],
    count: Callable[[Viewer], int] | None = None,
) -> None:
    """Show an entry to the viewers for whom ``predicate`` holds; small ``order`` first. Once per ``url_name``.

    ``count`` gives a number beside the label (zero shows none); it costs its queries on every page.
    """
    _entries[url_name] = Entry(label, url_name, icon, order, predicate, count)


def entries_for(viewer: Viewer) -> list[Entry]:
    """The entries ``viewer`` sees, in order. Costs nothing beyond what the viewer already knows."""
    return sorted((entry for entry in _entries.values() if entry.predicate(viewer)), key=lambda entry: entry.order)
