"""What an organization changed in a page: only the differences."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale, Page, Revision

from accounts.models import Organization, OrganizationOwned


class Adaptation(OrganizationOwned):
    """An organization's differences from a page in one language."""

    owner_field: ClassVar[str] = "organization_id"

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="adaptations")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="adaptations")
    locale = models.ForeignKey(Locale, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["page", "organization", "locale"], name="one_adaptation_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.page}"


class ZoneEdit(models.Model):
    """One changed zone: the organization's own value, or that it leaves the zone out."""

    adaptation = models.ForeignKey(Adaptation, on_delete=models.CASCADE, related_name="edits")
    zone_key = models.CharField(max_length=80, help_text="StreamField block id, or field:<name>.")
    value = models.JSONField(null=True, help_text="Content of the zone as the block's raw value; null when dropped.")
    is_dropped = models.BooleanField(_("left out"), default=False)
    # The vendor's zone this edit was made against: equal hash now means no conflict.
    base_hash = models.CharField(max_length=64)
    base_revision = models.ForeignKey(Revision, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1, help_text="Grows with each save; a stale save is refused.")
    edited_at = models.DateTimeField(default=timezone.now)
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True, help_text="The vendor removed the zone; kept as history.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adaptation", "zone_key"], condition=Q(archived_at=None), name="one_live_edit_per_zone"
            )
        ]

    def __str__(self) -> str:
        return f"{self.adaptation} · {self.zone_key}"
