"""Items as their readers get them: in their language, with their distributor's words, and where they stand.

A recipient comes from a delivery, a reseller's person from the edges that gave their organization the item. Both read
the same ``Item``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail.models import Page

from accounts.enums import OrganizationKind
from accounts.models import Organization, Person
from cascade.enums import CascadeState, Goal, HopState, Tier
from cascade.interfaces import Action, CascadablePage
from cascade.models import Cascade, CascadeContent, Completion, Delivery, Edge, Hop, OrganizationCompletion
from cms.effective import EffectivePage, effective, effective_many, search_text
from cms.files import SignedLinks
from cms.models import ZonedPage

if TYPE_CHECKING:
    from accounts.viewer import Viewer

WORDS_A_MINUTE = 200  # reading on a screen, rounded down


class NoContent(Exception):
    """The cascade carries no page."""


class Standing(models.TextChoices):
    """Whether an item can still be read and acted upon."""

    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    RECALLED = "recalled", _("Recalled")
    AWAY = "away", _("Not available")


@dataclass(frozen=True)
class Item:
    """One cascade's item as readers of ``hop``'s organization get it."""

    hop: Hop
    effective: EffectivePage
    standing: Standing

    @property
    def cascade(self) -> Cascade:
        """The release it belongs to."""
        return self.hop.cascade

    @property
    def giver(self) -> Organization:
        """Who passed it on, and whose brand it wears."""
        return self.hop.organization

    @property
    def page(self) -> ZonedPage:
        """The vendor's page."""
        return self.effective.page

    @property
    def files(self) -> SignedLinks:
        """Addresses of its pictures and files: readers need not be signed in, nor look through this giver."""
        given_by = self.effective.organization
        return SignedLinks(self.page.pk, given_by.pk if given_by else None)

    @property
    def is_open(self) -> bool:
        """Whether acts still count."""
        return self.standing == Standing.OPEN

    @property
    def is_readable(self) -> bool:
        """Whether there is something to read: not after a recall."""
        return self.standing in {Standing.OPEN, Standing.CLOSED}

    @property
    def is_late(self) -> bool:
        """Whether the readers' due date has passed."""
        return self.cascade.due_at < timezone.now()

    @property
    def recall_reason(self) -> str:
        """What the vendor says about a recall."""
        return self.cascade.recall_reason

    @cached_property
    def actions(self) -> Sequence[Action]:
        """What a reader may do, the main action first; nothing once it is closed."""
        if not self.is_open or not isinstance(self.page, CascadablePage) or self.hop.tier != Tier.RESELLERS:
            return ()
        return self.page.actions(Goal(self.cascade.goal))

    @property
    def action(self) -> Action | None:
        """The main action."""
        return self.actions[0] if self.actions else None

    @cached_property
    def minutes(self) -> int:
        """About how long reading takes, at least one."""
        return max(1, round(len(search_text(self.effective).split()) / WORDS_A_MINUTE))

    def was_updated_since(self, moment: datetime | None) -> bool:
        """Whether the vendor or the distributor published a change after ``moment``."""
        changed = self.effective.updated_at
        return bool(moment and changed and changed > moment)


def standing_of(hop: Hop, page: Page) -> Standing:
    """Where the item of ``hop`` stands for its readers."""
    if hop.cascade.state == CascadeState.RECALLED or hop.state == HopState.RECALLED:
        return Standing.RECALLED
    if not page.live:
        return Standing.AWAY
    return Standing.OPEN if hop.cascade.is_open else Standing.CLOSED


def item_for(hop: Hop, language: str) -> Item:
    """The item of ``hop`` in ``language``, or in the closest there is. Raises NoContent.

    The vendor's own hop (its notice to distributors) shows the vendor's own words.
    """
    content = choose_content(hop.cascade.contents.select_related("locale").order_by("pk"), language)
    page = content.page.specific
    reader = hop.organization if hop.tier == Tier.RESELLERS else None
    return Item(hop, effective(page, reader, content.locale), standing_of(hop, page))


def choose_content(contents: Iterable[CascadeContent], language: str) -> CascadeContent:
    """The content in ``language`` (de-AT: else de), else the one released first. Raises NoContent without any."""
    contents = list(contents)
    for wanted in (language, language.partition("-")[0]):
        for content in contents:
            if content.locale.language_code == wanted:
                return content
    if not contents:
        raise NoContent
    return contents[0]


def item_of_delivery(delivery: Delivery) -> Item:
    """The item a message brought, as it is today. Raises NoContent."""
    return item_for(delivery.wave.hop, delivery.language)


# --- what a reseller's people were given --------------------------------------------------------------------------
@dataclass(frozen=True)
class Given:
    """An item somebody's reseller was given, and how far they are with it."""

    edge: Edge
    done_at: datetime | None  # when this person did it
    is_done_by_team: bool  # the reseller counts as done, whoever did it
    is_current: bool  # the giver still serves the reseller; what it gave before stays readable
    other_givers: tuple[Organization, ...] = ()

    @property
    def is_to_do(self) -> bool:
        """Whether it still waits for this person."""
        is_open = self.edge.cascade.is_open and self.edge.hop.state != HopState.RECALLED
        return is_open and self.is_current and self.done_at is None and not self.is_done_by_team

    @property
    def is_late(self) -> bool:
        """Whether it waits and its due date has passed."""
        return self.is_to_do and self.edge.cascade.due_at < timezone.now()


def edges_for(viewer: Viewer) -> QuerySet[Edge]:
    """What the viewer's reseller was given, also by distributors it has left; nothing for anybody else."""
    if viewer.organization is None or viewer.kind != OrganizationKind.RESELLER:
        return Edge.objects.none()
    return (
        Edge.objects.filter(organization=viewer.organization, hop__tier=Tier.RESELLERS)
        .exclude(cascade__state=CascadeState.DRAFT)
        .select_related("cascade", "hop", "hop__organization", "hop__organization__brand", "hop__cascade")
    )


def given_to(viewer: Viewer, *, cascade: int | None = None) -> list[Given]:
    """Everything the viewer's reseller was given, once per cascade, what waits first by due date, then the newest.

    An item that came from several distributors is shown as that of the one the viewer looks through. One query.
    """
    edges = edges_for(viewer)
    if cascade is not None:
        edges = edges.filter(cascade=cascade)
    person = viewer.user.person_id  # type: ignore[union-attr]
    mine = Completion.objects.filter(cascade=OuterRef("cascade"), person=person)
    team = OrganizationCompletion.objects.filter(cascade=OuterRef("cascade"), organization=OuterRef("organization"))
    edges = edges.annotate(done_at=models.Subquery(mine.values("at")[:1]), team_done=Exists(team)).order_by("pk")
    by_cascade: dict[int, list[Edge]] = {}
    for edge in edges:
        by_cascade.setdefault(edge.cascade_id, []).append(edge)
    rank = {organization.pk: place for place, organization in enumerate(_preferred_first(viewer))}

    def preference(edge: Edge) -> tuple[bool, int]:
        return edge.hop.state == HopState.RECALLED, rank.get(edge.hop.organization_id, len(rank))

    given = []
    for found in by_cascade.values():
        first, *rest = sorted(found, key=preference)
        others = tuple(edge.hop.organization for edge in rest)
        is_current = first.hop.organization_id in rank
        given.append(Given(first, first.done_at, first.team_done, is_current, others))  # type: ignore[attr-defined]
    waiting = sorted((one for one in given if one.is_to_do), key=lambda one: one.edge.cascade.due_at)
    rest_of = sorted((one for one in given if not one.is_to_do), key=lambda one: one.edge.created_at, reverse=True)
    return [*waiting, *rest_of]


def with_pages(given: Sequence[Given], language: str) -> list[tuple[Given, Item]]:
    """``given`` with their items in ``language``. The number of queries grows with distributors, not with items."""
    contents: dict[int, list[CascadeContent]] = {}
    rows = CascadeContent.objects.filter(cascade__in=[one.edge.cascade_id for one in given])
    for content in rows.select_related("locale").order_by("pk"):
        contents.setdefault(content.cascade_id, []).append(content)
    chosen = {pk: choose_content(found, language).page_id for pk, found in contents.items()}
    pages = {page.pk: page for page in Page.objects.filter(pk__in=chosen.values()).specific()}
    groups: dict[int, list[Given]] = {}
    for one in given:
        if chosen.get(one.edge.cascade_id) in pages:
            groups.setdefault(one.edge.hop.organization_id, []).append(one)
    items: dict[int, Item] = {}
    for group in groups.values():
        ours = [pages[chosen[one.edge.cascade_id]] for one in group]
        for one, shown in zip(group, effective_many(ours, group[0].edge.hop.organization), strict=True):
            items[one.edge.pk] = Item(one.edge.hop, shown, standing_of(one.edge.hop, shown.page))
    return [(one, items[one.edge.pk]) for one in given if one.edge.pk in items]


def place_of(page: Page, viewer: Viewer) -> str:
    """Where ``viewer`` deals with the newest release of ``page``: a reseller with the item, a distributor with its hop.

    Empty for everybody else, and after a recall.
    """
    carried = CascadeContent.objects.filter(page__translation_key=page.translation_key)
    readable = Cascade.objects.filter(
        state__in=[CascadeState.OPEN, CascadeState.CLOSED], pk__in=carried.values("cascade")
    )
    if edge := edges_for(viewer).filter(cascade__in=readable).order_by("-cascade").first():
        return reverse("reseller_item", args=[edge.cascade_id])
    if viewer.kind == OrganizationKind.DISTRIBUTOR:
        hops = Hop.objects.of_distributors().filter(organization=viewer.organization, cascade__in=readable)
        if hop := hops.exclude(state=HopState.RECALLED).order_by("-cascade").first():
            return reverse("workspace_hop", args=[hop.pk])
    return ""


def is_done(cascade: Cascade, person: Person) -> datetime | None:
    """When ``person`` reached the goal of ``cascade``; None before."""
    return Completion.objects.filter(cascade=cascade, person=person).values_list("at", flat=True).first()


def _preferred_first(viewer: Viewer) -> list[Organization]:
    return sorted(viewer.distributors, key=lambda organization: organization != viewer.distributor)
