"""Whom a sender may mail, and why not.

Two facts decide: a basis (Consent) that lets a sender mail an address, and refusals (Suppression) that beat every
basis. Refusals are kept by keyed hash, so they outlive erasure and a re-import brings nobody back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import AddressState, ConsentBasis, SuppressionReason, SuppressionScope
from accounts.models import Address, Consent, Membership, Organization, Suppression
from accounts.models.people import address_hash

if TYPE_CHECKING:
    from accounts.models import User


class NotMailable(models.TextChoices):
    """Why an address is not mailed; the engine's exclusions have the same values."""

    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Address bounced")
    COMPLAINED = "complained", _("Marked as spam before")
    NO_CONSENT = "no_consent", _("No consent on record")
    BY_HAND = "by_hand", _("Blocked by hand")


REASONS = {
    SuppressionReason.UNSUBSCRIBED: NotMailable.UNSUBSCRIBED,
    SuppressionReason.BOUNCED: NotMailable.BOUNCED,
    SuppressionReason.COMPLAINED: NotMailable.COMPLAINED,
    SuppressionReason.BY_HAND: NotMailable.BY_HAND,
    SuppressionReason.ERASED: NotMailable.UNSUBSCRIBED,  # erased people look like any other refusal
}


def record(
    address: Address, sender: Organization, basis: str, *, source: str, by: User | None = None, topic: str = ""
) -> Consent:
    """Note why ``sender`` may mail ``address`` about ``topic`` (empty: everything).

    A basis that is there already stays with its date, which is the evidence; only the person's own agreement replaces
    a weaker one. Lifts no suppression.
    """
    consent, is_new = Consent.objects.get_or_create(
        address=address, sender=sender, topic=topic, defaults={"basis": basis, "source": source[:200], "by": by}
    )
    if not is_new and basis == ConsentBasis.CONSENT and consent.basis != basis:
        consent.basis, consent.source, consent.by, consent.at = basis, source[:200], by, timezone.now()
        consent.save(update_fields=["basis", "source", "by", "at"])
    return consent


def suppress(
    email: str, scope: str, reason: str, *, sender: Organization | None = None, topic: str = ""
) -> Suppression:
    """Never mail ``email`` (normalized) again within ``scope``; twice is once, and the first reason stays.

    ``sender`` goes with scope sender, ``topic`` with scope topic, neither with global.
    """
    key = {"email_hash": address_hash(email), **_scope(scope, sender, topic)}
    return Suppression.objects.get_or_create(**key, defaults={"reason": reason})[0]


def resubscribe(
    address: Address, scope: str, *, source: str, sender: Organization | None = None, topic: str = ""
) -> None:
    """The person at ``address`` wants messages again: lift that one refusal and note their agreement.

    Only ever by the person's own act (a tokened page, or signed in), never by an organization or an import.
    """
    Suppression.objects.filter(email_hash=address.email_hash, **_scope(scope, sender, topic)).delete()
    if sender is not None:
        record(address, sender, ConsentBasis.CONSENT, source=source)


def refusals(sender: Organization, topic: str = "") -> models.QuerySet[Suppression]:
    """Suppressions that keep ``sender`` from mailing about ``topic``, for anybody."""
    return Suppression.objects.filter(
        Q(scope=SuppressionScope.GLOBAL)
        | Q(scope=SuppressionScope.SENDER, sender=sender)
        | Q(scope=SuppressionScope.TOPIC, topic__gt="", topic=topic)
    )


def why_not_mailable(address: Address, sender: Organization, topic: str = "") -> NotMailable | None:
    """Why ``sender`` may not mail ``address`` about ``topic``; None when it may.

    A refusal beats a bounce, a bounce beats a missing basis. People who joined an organization one link below
    ``sender`` may be mailed by it (basis "membership") as long as the link and the membership last.
    """
    refusal = refusals(sender, topic).filter(email_hash=address.email_hash).order_by("at").first()
    if refusal is not None:
        return REASONS[SuppressionReason(refusal.reason)]
    if address.state == AddressState.BOUNCED:
        return NotMailable.BOUNCED
    if address.state == AddressState.COMPLAINED:
        return NotMailable.COMPLAINED
    topics = {"", topic}
    if Consent.objects.filter(address=address, sender=sender, topic__in=topics).exists():
        return None
    if members_of_network(sender).filter(user__email=address.email).exists():
        return None
    return NotMailable.NO_CONSENT


def members_of_network(sender: Organization) -> models.QuerySet[Membership]:
    """Memberships in organizations that ``sender`` serves now: joining the portal is the basis for its messages."""
    return Membership.objects.filter(organization__in=Organization.objects.downstream_of(sender), user__is_active=True)


def _scope(scope: str, sender: Organization | None, topic: str) -> dict[str, object]:
    """The identity of a refusal; a sender or topic that its scope does not name is dropped."""
    return {
        "scope": scope,
        "sender": sender if scope == SuppressionScope.SENDER else None,
        "topic": topic if scope == SuppressionScope.TOPIC else "",
    }
