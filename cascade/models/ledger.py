"""What happened at each hop, who is done, and counters that equal a recount."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models import Organization, Person
from cascade.enums import CounterName, Goal, LedgerKind
from cascade.models.releases import Cascade, Hop


class LedgerEvent(models.Model):
    """One step of a hop or one act of a person. Append-only; a repeated act has the same key and is dropped."""

    shared_because: ClassVar[str] = "read through its hop or cascade, which are scoped"

    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="events")
    hop = models.ForeignKey(Hop, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=LedgerKind)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    organization = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    data = models.JSONField(default=dict)
    key = models.CharField(max_length=120, unique=True, help_text="Idempotency key.")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["cascade", "-at"]), models.Index(fields=["hop", "-at"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"


class Completion(models.Model):
    """A person reached the goal of a cascade."""

    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="completions")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="completions")
    goal = models.CharField(max_length=16, choices=Goal)
    at = models.DateTimeField(default=timezone.now)
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cascade", "person"], name="one_completion_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.goal}"


class OrganizationCompletion(models.Model):
    """A reseller counts as done in a cascade."""

    shared_because: ClassVar[str] = "read through its cascade and the reader's edges, which are scoped"

    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="organization_completions")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="cascade_completions")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cascade", "organization"], name="one_completion_per_organization")
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} in {self.cascade_id}"


class Counter(models.Model):
    """A folded count of one hop."""

    hop = models.ForeignKey(Hop, on_delete=models.CASCADE, related_name="counters")
    name = models.CharField(max_length=20, choices=CounterName)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hop", "name"], name="one_counter_per_name")]

    def __str__(self) -> str:
        return f"{self.hop_id}.{self.name}={self.value}"


class CounterDelta(models.Model):
    """A change not yet folded in; reads are counters + deltas, so a stopped folder never lies."""

    hop = models.ForeignKey(Hop, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=20, choices=CounterName)
    delta = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.hop_id}.{self.name}{self.delta:+d}"
