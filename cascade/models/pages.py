"""Kinds of content that exist only to be cascaded."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from cascade.enums import Goal
from cascade.interfaces import Action, CascadablePage
from cms.models import ZonedPage


class CascadeIndexPage(ZonedPage):
    """The folder of the reseller level in which announcements are written."""

    needs_job = False
    parent_page_types = ["cms.LevelHomePage", "cms.SectionPage"]
    subpage_types = ["cascade.AnnouncementPage"]


class AnnouncementPage(CascadablePage):
    """News to read and, where the vendor asks for it, to acknowledge."""

    parent_page_types = ["cms.LevelHomePage", "cms.SectionPage", "cascade.CascadeIndexPage"]
    subpage_types: list[str] = []

    class Meta:
        verbose_name = _("announcement")

    def goals(self) -> Sequence[Goal]:
        """Acknowledged unless the vendor is content with read."""
        return (Goal.ACKNOWLEDGED, Goal.READ)

    def actions(self, goal: Goal) -> Sequence[Action]:
        """One button, worded for the goal."""
        if goal == Goal.READ:
            return (Action(Goal.READ, _("I have read this"), _("Marked as read")),)
        return (Action(Goal.ACKNOWLEDGED, _("Acknowledge"), _("Acknowledged")),)
