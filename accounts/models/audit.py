"""The audit log of verbs that change who may do what, and of refused tampering."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.access import OrganizationOwned
from accounts.models.organizations import Organization


class AuditEvent(OrganizationOwned):
    """One act by a person, as a name and ids; never contains contents or addresses of others."""

    owner = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="audit_events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.object_type} {self.object_id}"
