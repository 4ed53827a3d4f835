"""Imports of a network from files."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import WORKING_IMPORT_STATES, ConsentBasis, ImportState, RowOutcome
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
    format = models.JSONField(default=dict, help_text="Type, encoding, delimiter, sheet, headers and a sample.")
    columns = models.JSONField(default=dict, help_text="Header → field name.")
    default_country = models.CharField(
        _("country of rows without one"), max_length=2, blank=True, help_text=_("ISO 3166-1 alpha-2")
    )
    basis = models.CharField(_("basis"), max_length=16, choices=ConsentBasis, blank=True)
    basis_source = models.CharField(_("where the basis is recorded"), max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=ImportState, default=ImportState.UPLOADED)
    report = models.JSONField(default=dict, help_text="Counts by outcome, problem and note.")
    error = models.TextField(blank=True)
    # Progress, in rows of the file; while writing, rows_done is the last row whose chunk is committed.
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    # One worker at a time: it holds the lease, and every write carries its epoch.
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_working(self) -> bool:
        """Whether a worker reads or writes it now, or soon."""
        return self.state in WORKING_IMPORT_STATES

    @property
    def percent(self) -> int:
        """How far the worker got, 0 to 100; 100 only when it ended."""
        return min(99, 100 * self.rows_done // self.rows_total) if self.rows_total else 0


class ImportRow(OrganizationOwned):
    """One row of an imported file and what becomes of it. Holds personal data: purged with its import."""

    owner_field: ClassVar[str] = "network_import__owner_id"

    network_import = models.ForeignKey(NetworkImport, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="As a spreadsheet counts, from 1.")
    outcome = models.CharField(max_length=16, choices=RowOutcome)
    cells = models.JSONField(default=list, help_text="As in the file.")
    data = models.JSONField(default=dict, help_text="Field → value as understood; empty when refused.")
    changes = models.JSONField(default=list, help_text="[field, from, to].")
    problems = models.JSONField(default=list, help_text="[code, column, parameters]: why it is refused.")
    notes = models.JSONField(default=list, help_text="[code, column, parameters]: what to know about it.")
    email = models.CharField(max_length=254, blank=True, help_text="Normalized; finds the row again for an erasure.")
    # Rows of one company carry the same number; its first row decides what is written about the company.
    company = models.PositiveIntegerField(default=0)
    is_leader = models.BooleanField(default=False)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["network_import", "number"], name="one_row_per_number")]
        indexes = [
            models.Index(fields=["network_import", "outcome", "number"]),
            models.Index(fields=["network_import", "company"]),
            models.Index(fields=["email"]),
        ]

    def __str__(self) -> str:
        return f"{self.network_import} · {self.number}"
