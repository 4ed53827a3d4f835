"""What a recipient decides about messages: stop, start again, language. By the person only, through their own links."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from accounts import consent
from accounts.enums import SuppressionReason, SuppressionScope, Topic
from accounts.models import Suppression
from cascade import ledger
from cascade.enums import LedgerKind
from cascade.models import Delivery


@dataclass(frozen=True)
class Wishes:
    """What an address does not want, seen from one sender."""

    no_sender: bool
    no_topics: frozenset[str]
    nothing: bool

    @property
    def is_stopped(self) -> bool:
        """Whether this sender's messages have stopped."""
        return self.no_sender or self.nothing


def wishes(delivery: Delivery) -> Wishes:
    """What the recipient of ``delivery`` has refused; one query."""
    rows = Suppression.objects.filter(email_hash=delivery.address.email_hash)
    found = list(rows.values_list("scope", "sender_id", "topic"))
    return Wishes(
        no_sender=(SuppressionScope.SENDER, delivery.wave.hop.organization_id, "") in found,
        no_topics=frozenset(topic for scope, _sender, topic in found if scope == SuppressionScope.TOPIC),
        nothing=any(scope == SuppressionScope.GLOBAL for scope, _sender, _topic in found),
    )


@transaction.atomic
def unsubscribe(delivery: Delivery, scope: str = SuppressionScope.SENDER) -> None:
    """Stop messages to the recipient of ``delivery``: of its sender, on its topic, or all. Twice is once."""
    hop = delivery.wave.hop
    consent.suppress(
        delivery.address.email,
        scope,
        SuppressionReason.UNSUBSCRIBED,
        sender=hop.organization,
        topic=hop.cascade.topic,
    )
    ledger.record(
        hop.cascade,
        LedgerKind.UNSUBSCRIBED,
        key=f"{LedgerKind.UNSUBSCRIBED}:{delivery.pk}",
        hop=hop,
        person=delivery.person,
        organization=delivery.organization,
    )


@transaction.atomic
def resubscribe(delivery: Delivery, scope: str = SuppressionScope.SENDER) -> None:
    """Take one refusal back. The person's own act is the new basis for the sender's messages."""
    hop = delivery.wave.hop
    consent.resubscribe(
        delivery.address, scope, source="recipient page", sender=hop.organization, topic=hop.cascade.topic
    )


@transaction.atomic
def set_preferences(delivery: Delivery, *, language: str, topics: Collection[str], from_sender: bool) -> None:
    """Store what the recipient wants: their language (empty: none chosen), topics, and messages of this sender."""
    person = delivery.person
    if person.language != language:
        person.language = language
        person.save(update_fields=["language"])
    now = wishes(delivery)
    email, sender = delivery.address.email, delivery.wave.hop.organization
    for topic in Topic.values:
        if topic not in topics and topic not in now.no_topics:
            consent.suppress(email, SuppressionScope.TOPIC, SuppressionReason.UNSUBSCRIBED, topic=topic)
        elif topic in topics and topic in now.no_topics:
            consent.resubscribe(delivery.address, SuppressionScope.TOPIC, source="recipient page", topic=topic)
    if not from_sender and not now.no_sender:
        unsubscribe(delivery)
    elif from_sender and now.is_stopped:
        if now.nothing:
            consent.resubscribe(delivery.address, SuppressionScope.GLOBAL, source="recipient page")
        consent.resubscribe(delivery.address, SuppressionScope.SENDER, source="recipient page", sender=sender)
