"""Items, cascades and what comes of them. Rows are made as they are, without the verbs, so that a test says what is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import Address, Organization
from cascade.enums import CascadeState, DeliveryState, HopState, Tier, WaveKind, WaveState
from cascade.models import AnnouncementPage, Cascade, CascadeContent, Delivery, Edge, Hop, Wave
from cms.enums import Presence
from tests.factories.accounts import NetworkLinkFactory, OrganizationFactory
from tests.factories.cms import ZonedPageFactory, block, open_block


def default_body() -> list[dict[str, Any]]:
    """A locked heading and text, an open text, a droppable quote."""
    return [
        block("heading", "Firmware 9 is here"),
        block("rich_text", "<p>Update before <b>June</b>.</p>"),
        open_block("rich_text", "<p>Your own words.</p>", max_length=400, guidance="Say hello."),
        open_block("quote", {"text": "It just works.", "attribution": "A partner"}, presence=Presence.DROPPABLE),
    ]


class AnnouncementPageFactory(ZonedPageFactory):
    """A published announcement at the reseller level, with open and locked zones."""

    class Meta:
        model = AnnouncementPage

    title = factory.Sequence(lambda n: f"Announcement {n}")
    summary = "What it means for you."
    subject = factory.LazyAttribute(lambda page: page.title)
    preview_text = "Two minutes to read."
    body = factory.LazyFunction(default_body)


class CascadeFactory(DjangoModelFactory):
    """An open cascade of a published announcement, with the vendor's hop and no distributor yet.

    ``page=`` picks the item, ``draft=True`` leaves it unreleased, ``distributors=[…]`` offers it to them.
    """

    class Meta:
        model = Cascade
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(state=CascadeState.DRAFT, released_at=None)
        closed = factory.Trait(state=CascadeState.CLOSED, closed_at=factory.LazyFunction(timezone.now))
        recalled = factory.Trait(state=CascadeState.RECALLED, recall_reason="The price was wrong.")

    name = factory.Sequence(lambda n: f"Cascade {n}")
    reason = "Old firmware stops in June."
    state = CascadeState.OPEN
    topic = "news"
    pass_on_by = factory.LazyFunction(lambda: timezone.now() + timedelta(days=7))
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=21))
    released_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def page(self, create: bool, page: AnnouncementPage | None, **kwargs: Any) -> None:
        page = page or AnnouncementPageFactory()
        CascadeContent.objects.create(cascade=self, page=page, locale=page.locale, revision=page.live_revision)
        vendor = OrganizationFactory(vendor=True)
        Hop.objects.create(cascade=self, organization=vendor, tier=Tier.DISTRIBUTORS, state=HopState.ACCEPTED)

    @factory.post_generation
    def distributors(self, create: bool, distributors: list[Organization] | None, **kwargs: Any) -> None:
        for distributor in distributors or []:
            HopFactory(cascade=self, organization=distributor)


class HopFactory(DjangoModelFactory):
    """A distributor's step; ``accepted=True`` decides it, ``sent=True`` says that messages have left."""

    class Meta:
        model = Hop
        skip_postgeneration_save = True

    class Params:
        accepted = factory.Trait(state=HopState.ACCEPTED, decided_at=factory.LazyFunction(timezone.now))
        declined = factory.Trait(
            state=HopState.DECLINED, decided_at=factory.LazyFunction(timezone.now), decline_reason="Not our product."
        )
        sent = factory.Trait(
            state=HopState.ACCEPTED,
            decided_at=factory.LazyFunction(timezone.now),
            first_sent_at=factory.LazyFunction(timezone.now),
        )

    cascade = factory.SubFactory(CascadeFactory)
    organization = factory.SubFactory(OrganizationFactory)
    parent = factory.LazyAttribute(lambda hop: hop.cascade.hops.get(tier=Tier.DISTRIBUTORS))
    tier = Tier.RESELLERS

    @factory.post_generation
    def link(self, create: bool, wanted: bool | None, **kwargs: Any) -> None:
        """The vendor's active link to the distributor, unless ``link=False``."""
        if wanted is not False:
            NetworkLinkFactory(upstream=self.parent.organization, downstream=self.organization)


class EdgeFactory(DjangoModelFactory):
    """A reseller that a hop gave the item to."""

    class Meta:
        model = Edge

    hop = factory.SubFactory(HopFactory)
    cascade = factory.SelfAttribute("hop.cascade")
    organization = factory.SubFactory(OrganizationFactory, reseller=True)


class WaveFactory(DjangoModelFactory):
    """A draft sending; ``scheduled``, ``frozen`` and ``done`` are traits. Makes no deliveries."""

    class Meta:
        model = Wave

    class Params:
        scheduled = factory.Trait(state=WaveState.SCHEDULED, scheduled_at=factory.LazyFunction(timezone.now))
        frozen = factory.Trait(state=WaveState.FROZEN, frozen_at=factory.LazyFunction(timezone.now), frozen_count=0)
        done = factory.Trait(
            state=WaveState.DONE,
            frozen_at=factory.LazyFunction(timezone.now),
            frozen_count=0,
            finished_at=factory.LazyFunction(timezone.now),
        )

    hop = factory.SubFactory(HopFactory, accepted=True)
    kind = WaveKind.INITIAL
    base_url = "http://testserver"


class DeliveryFactory(DjangoModelFactory):
    """One message of a wave; ``email=`` names whom it is for."""

    class Meta:
        model = Delivery

    wave = factory.SubFactory(WaveFactory, frozen=True)
    cascade = factory.SelfAttribute("wave.hop.cascade")
    tier = factory.SelfAttribute("wave.hop.tier")
    email = factory.Sequence(lambda n: f"recipient{n}@reseller.example")
    name = factory.Sequence(lambda n: f"Recipient {n}")
    address = factory.LazyAttribute(lambda row: Address.objects.obtain(row.email, name=row.name))
    person = factory.SelfAttribute("address.person")
    organization = factory.SubFactory(OrganizationFactory, reseller=True)
    company = factory.SelfAttribute("organization.name")
    language = "en"
    state = DeliveryState.QUEUED
    holds_claim = True
