"""Releases, hops, waves, deliveries and the ledger."""

from cascade.models.ledger import Completion, Counter, CounterDelta, LedgerEvent, OrganizationCompletion
from cascade.models.outbox import OutboxMessage
from cascade.models.pages import AnnouncementPage, CascadeIndexPage
from cascade.models.releases import Cascade, CascadeContent, Edge, Hop
from cascade.models.waves import Chunk, Delivery, Lane, Wave, WaveContent

__all__ = [
    "AnnouncementPage",
    "Cascade",
    "CascadeContent",
    "CascadeIndexPage",
    "Chunk",
    "Completion",
    "Counter",
    "CounterDelta",
    "Delivery",
    "Edge",
    "Hop",
    "Lane",
    "LedgerEvent",
    "OrganizationCompletion",
    "OutboxMessage",
    "Wave",
    "WaveContent",
]
