"""Sendings: waves, their frozen content, chunks, lanes and deliveries."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Address, Contact, Organization, OrganizationOwned, Person
from cascade.enums import ChunkState, DeliveryState, Evidence, Exclusion, Tier, WaveKind, WaveState
from cascade.models.releases import Cascade, Hop


class Wave(OrganizationOwned):
    """One sending within a hop."""

    owner_field: ClassVar[str] = "hop__organization_id"

    hop = models.ForeignKey(Hop, on_delete=models.CASCADE, related_name="waves")
    kind = models.CharField(_("kind"), max_length=16, choices=WaveKind, default=WaveKind.INITIAL)
    state = models.CharField(_("state"), max_length=16, choices=WaveState, default=WaveState.DRAFT)
    audience = models.JSONField(default=dict, help_text="As chosen; see cascade.audience.")
    scheduled_at = models.DateTimeField(null=True, blank=True, help_text="UTC; nothing leaves before.")
    undo_until = models.DateTimeField(null=True, blank=True, help_text="UTC; until then Send can be undone.")
    frozen_at = models.DateTimeField(null=True, blank=True)
    frozen_count = models.PositiveIntegerField(
        null=True, blank=True, help_text="Deliveries; equals the sum over states."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Obeyed by lease holders at each window; the state changes when the last lease is given back.
    stop_requested = models.BooleanField(default=False)
    stopped_because = models.CharField(max_length=300, blank=True, help_text="Plain words, for the distributor.")
    base_url = models.CharField(max_length=200, help_text="What every link of the wave starts with.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    send_key = models.UUIDField(null=True, unique=True, help_text="From the form: a double submit is one send.")

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["state", "scheduled_at"])]

    def __str__(self) -> str:
        return f"{self.hop} · {self.get_kind_display()}"


class WaveContent(models.Model):
    """What a wave says in one language, frozen: sent mail stays reproducible."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="contents")
    language = models.CharField(max_length=12)
    subject = models.CharField(max_length=255)
    preview_text = models.CharField(max_length=255, blank=True)
    html = models.TextField(help_text="With merge fields still in place.")
    text = models.TextField()
    headers = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wave", "language"], name="one_content_per_wave_and_language")]

    def __str__(self) -> str:
        return f"{self.wave} ({self.language})"


class Lane(models.Model):
    """A relay × From domain × recipient class. Faults that are not the recipient's hold the lane, not the people."""

    name = models.CharField(max_length=120, unique=True)
    held_until = models.DateTimeField(null=True, blank=True)
    held_because = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="Relay faults in a row; sets the back-off.")
    rate = models.FloatField(null=True, blank=True, help_text="Messages per second; empty: as fast as the relay takes.")
    tokens = models.FloatField(default=0)
    refilled_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Chunk(models.Model):
    """At most 500 deliveries of one wave, language and lane: the unit of leasing."""

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField(help_text="Within the wave; deliveries point to it.")
    language = models.CharField(max_length=12)
    lane = models.ForeignKey(Lane, on_delete=models.PROTECT, related_name="chunks")
    size = models.PositiveIntegerField()
    priority = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=ChunkState, default=ChunkState.READY)
    not_before = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=80, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    # Write-ahead window, as delivery ids: up to ``started_id`` may have left, up to ``done_id`` is known.
    started_id = models.BigIntegerField(default=0)
    done_id = models.BigIntegerField(default=0)
    results = models.JSONField(default=list, help_text="Results other than sent, up to done_id: [id, state, code].")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wave", "number"], name="one_chunk_per_number")]
        indexes = [
            models.Index(
                fields=["lane", "-priority", "not_before", "id"], condition=Q(state="ready"), name="chunk_ready"
            ),
            models.Index(fields=["lease_until"], condition=Q(state="leased"), name="chunk_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.wave_id}/{self.number}"


class Delivery(OrganizationOwned):
    """One message of a wave to one person, or the reason why there is none: a row for everybody the audience names.

    ``holds_claim`` marks the one delivery per cascade, tier and person that brings the item; the others are covered.
    """

    owner_field: ClassVar[str] = "wave__hop__organization_id"

    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="+", db_index=False)
    tier = models.PositiveSmallIntegerField(choices=Tier)
    address = models.ForeignKey(Address, on_delete=models.PROTECT, related_name="deliveries")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deliveries")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="deliveries", help_text="The reseller (or distributor)."
    )
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="deliveries")
    # Snapshot: what the message needs, as it was when the wave froze.
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    company = models.CharField(max_length=200)
    language = models.CharField(max_length=12)
    chunk_number = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=12, choices=DeliveryState, default=DeliveryState.QUEUED)
    reason = models.CharField(max_length=16, choices=Exclusion, blank=True)
    holds_claim = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # A covered row is stepped over in its turn, so that its distributor's progress moves like everybody's.
    passed_at = models.DateTimeField(null=True, blank=True)
    code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Last SMTP reply.")
    detail = models.CharField(max_length=255, blank=True, help_text="Last reply in words.")
    evidence = models.CharField(max_length=12, choices=Evidence, blank=True, default=Evidence.NONE)
    evidence_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["wave", "address"], name="one_delivery_per_address"),
            models.UniqueConstraint(
                fields=["cascade", "tier", "person"], condition=Q(holds_claim=True), name="one_person_one_message"
            ),
        ]
        indexes = [
            models.Index(fields=["wave", "chunk_number", "id"], name="delivery_chunk"),
            models.Index(fields=["wave", "state"], name="delivery_state"),
            models.Index(fields=["not_before"], condition=Q(state="retrying"), name="delivery_retrying"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.get_state_display()})"
