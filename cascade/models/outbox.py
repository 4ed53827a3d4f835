"""Transactional mail, so that a dead mail server breaks no page."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from cascade.enums import OutboxState


class OutboxMessage(models.Model):
    """One serialized message of Django's mail API, waiting to leave at top priority."""

    from_address = models.CharField(max_length=254)
    recipients = models.JSONField()
    subject = models.CharField(max_length=255, blank=True)
    raw = models.BinaryField()
    message_id = models.CharField(max_length=255, unique=True)
    state = models.CharField(max_length=12, choices=OutboxState, default=OutboxState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    detail = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["not_before"], condition=Q(state="queued"), name="outbox_queued")]

    def __str__(self) -> str:
        return f"{self.subject} → {', '.join(self.recipients)}"
