"""Forms of zoned pages in the Wagtail admin. Below models: page classes name their form."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminPageForm

# Names of the editor's buttons that make a draft public, now or after a review.
PUBLISHING = ("action-publish", "action-submit", "action-restart-workflow")


class ZonedPageForm(WagtailAdminPageForm):
    """A draft may lack its job; what is published may not."""

    def clean(self) -> dict[str, Any]:
        """Refuse publishing without a job, at the field."""
        cleaned = super().clean()
        publishes = any(name in self.data for name in PUBLISHING)
        if publishes and self.instance.needs_job and not cleaned.get("job"):
            self.add_error("job", _("Say what this helps its reader do; only then can it be published."))
        return cleaned
