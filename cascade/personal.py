"""What cascades hold about a person: in their export, blanked when they are erased, settled when two are one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q
from django.dispatch import receiver

from accounts.models import Person
from accounts.people import register_exporter
from accounts.signals import person_erasing, persons_merging
from cascade.enums import DeliveryState, OutboxState
from cascade.models import Completion, Delivery, LedgerEvent, OutboxMessage


def register() -> None:
    """Add our sections to personal exports; importing this module has connected the receivers."""
    register_exporter("messages", messages)
    register_exporter("completions", completions)
    register_exporter("cascade_acts", acts)


def messages(person: Person) -> Iterator[dict[str, Any]]:
    """Messages that left, or may have left, for any address of ``person``."""
    left = (DeliveryState.SENT, DeliveryState.UNCONFIRMED, DeliveryState.FAILED)
    rows = Delivery.objects.filter(Q(person=person) | Q(address__person=person), state__in=left).order_by("pk")
    yield from rows.values(
        "email",
        "name",
        "company",
        "language",
        "state",
        "sent_at",
        "evidence",
        "evidence_at",
        "clicked_at",
        item=F("cascade__name"),
        sender=F("wave__hop__organization__name"),
    )


def completions(person: Person) -> Iterator[dict[str, Any]]:
    """Goals the person reached."""
    rows = Completion.objects.filter(person=person).order_by("pk")
    yield from map(dict, rows.values("goal", "at", item=F("cascade__name")))


def acts(person: Person) -> Iterator[dict[str, Any]]:
    """What the person did with items."""
    rows = LedgerEvent.objects.filter(person=person).order_by("pk")
    yield from map(dict, rows.values("kind", "at", item=F("cascade__name")))


@receiver(person_erasing, dispatch_uid="cascade_erase_person")
def erase(person: Person, addresses: list[str], **kwargs: Any) -> None:
    """Take name and address out of every delivery, and delete transactional mail that is no longer waiting.

    States stay as they are, for whoever holds a chunk's lease and for the sums. A message still waiting is stopped by
    the suppression; should it slip through, its address leads nowhere (RFC 2606).
    """
    for delivery in Delivery.objects.filter(Q(person=person) | Q(address__person=person)).only("pk", "address_id"):
        Delivery.objects.filter(pk=delivery.pk).update(
            email=f"erased-{delivery.address_id}@erased.invalid", name="", detail="", contact=None
        )
    LedgerEvent.objects.filter(person=person).update(data={})
    Completion.objects.filter(person=person).update(evidence={})
    for email in addresses:
        OutboxMessage.objects.filter(recipients__icontains=f'"{email}"').exclude(state=OutboxState.QUEUED).delete()


@receiver(persons_merging, dispatch_uid="cascade_merge_persons")
def settle(keep: Person, other: Person, **kwargs: Any) -> None:
    """Two persons are one: a goal counts once, and only one of their messages per item is the one that brings it.

    Where both had been given a message already, both were; states and counts tell what happened and stay.
    """
    done = list(Completion.objects.filter(person=keep).values_list("cascade_id", flat=True))
    Completion.objects.filter(person=other, cascade_id__in=done).delete()
    claims = Delivery.objects.filter(holds_claim=True)
    for cascade_id, tier in claims.filter(person=keep).values_list("cascade_id", "tier"):
        claims.filter(person=other, cascade_id=cascade_id, tier=tier).update(holds_claim=False)
