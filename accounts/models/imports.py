"""Imports of a network from files."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import ConsentBasis, ImportState
from accounts.models.access import OrganizationOwned
from accounts.models.organizations import Organization


class ColumnMapping(OrganizationOwned):
    """How an organization once mapped files with these headers; offered again for the next such file."""

    owner = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="column_mappings")
    header_digest = models.CharField(max_length=64)
    columns = models.JSONField(default=dict, help_text="Header → field name.")
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "header_digest"], name="one_mapping_per_header")]

    def __str__(self) -> str:
        return self.header_digest[:8]


class NetworkImport(OrganizationOwned):
    """One uploaded file: read, mapped, checked without writing, then confirmed."""

    owner = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="imports")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    file = models.FileField(upload_to="imports/")
    filename = models.CharField(max_length=200)
    format = models.JSONField(default=dict, help_text="Type, encoding, delimiter, sheet as detected.")
    columns = models.JSONField(default=dict, help_text="Header → field name.")
    basis = models.CharField(_("basis"), max_length=16, choices=ConsentBasis, blank=True)
    basis_source = models.CharField(_("where the basis is recorded"), max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.UPLOADED)
    report = models.JSONField(default=dict, help_text="Counts and refused rows with reasons.")
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.filename
