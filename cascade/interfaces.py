"""What the engine knows of content: one abstract page class and nothing of what inherits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from accounts.enums import Topic
from cascade.enums import Goal
from cms.models import ZonedPage

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from accounts.viewer import Viewer
    from cms.effective import EffectivePage


@dataclass(frozen=True)
class MailContent:
    """What a kind of content puts into its cascade's e-mail, besides the effective page itself."""

    template: str = "cascade_item"
    button_label: str = ""
    context: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """One thing a recipient can do with an item: a button, and the goal it reaches."""

    goal: Goal
    label: str | Promise
    done_label: str | Promise


class CascadablePage(ZonedPage):
    """A page that can be released down the chain."""

    topic: ClassVar[Topic] = Topic.NEWS
    is_cascadable: ClassVar[bool] = True

    class Meta:
        abstract = True

    def goals(self) -> Sequence[Goal]:
        """Goals a cascade of this page may name; the first is the default."""
        raise NotImplementedError

    def actions(self, goal: Goal) -> Sequence[Action]:
        """What a recipient of a cascade with ``goal`` is offered, the main action first."""
        raise NotImplementedError

    def mail(self, effective: EffectivePage, locale: str) -> MailContent:
        """What the mail about ``effective`` holds, the same for every recipient of one brand and language."""
        return MailContent()

    def place_for(self, viewer: Viewer) -> str:
        """A reseller's people act on the item, a distributor's people pass it on."""
        from cascade.items import place_of  # deferred: items know this module

        return place_of(self, viewer)
