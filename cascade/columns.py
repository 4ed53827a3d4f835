"""Columns of the vendor's tables that Wagtail does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wagtail.admin.ui.tables import Column


class TagColumn(Column):
    """A word with its color. ``tone`` gives good, bad, busy or plain from the row."""

    cell_template_name = "cascade/admin/cells/tag.html"

    def __init__(self, name: str, *, tone: Callable[[Any], str], **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.tone = tone

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Adds the tone."""
        return super().get_cell_context_data(instance, parent_context) | {"tone": self.tone(instance)}


class BarColumn(Column):
    """Two numbers and the bar between them; ``part`` and ``whole`` are read from the row."""

    cell_template_name = "cascade/admin/cells/bar.html"

    def __init__(
        self, name: str, *, part: Callable[[Any], int], whole: Callable[[Any], int], tone: str = "plain", **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self.part, self.whole, self.tone = part, whole, tone

    def get_cell_context_data(self, instance: Any, parent_context: Any) -> dict[str, Any]:
        """Adds both numbers and their share, rounded down."""
        part, whole = self.part(instance), self.whole(instance)
        percent = int(100 * part / whole) if whole else 0
        context = super().get_cell_context_data(instance, parent_context)
        return context | {"part": part, "whole": whole, "percent": percent, "tone": self.tone}


class CountColumn(Column):
    """A number, aligned with its neighbors."""

    cell_template_name = "cascade/admin/cells/count.html"


class DayColumn(Column):
    """A day; Wagtail's own column only knows how long ago something was, and due dates lie ahead."""

    cell_template_name = "cascade/admin/cells/date.html"


class NudgeColumn(Column):
    """A button for who is late."""

    cell_template_name = "cascade/admin/cells/nudge.html"
