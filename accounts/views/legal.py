"""Imprint and privacy notice, for everybody."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from accounts.enums import OrganizationKind
from accounts.models import Organization


class LegalText(TemplateView):
    """A text of the organization whose portal this is, and of the vendor who runs it.

    Whose: the host's; for signed-in people the one they look through. The vendor's own text always follows.
    """

    template_name = "accounts/legal.html"
    field: ClassVar[str]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The texts that are there, the nearest first."""
        request = self.request
        nearest = request.host_organization or request.viewer.distributor  # type: ignore[attr-defined]
        vendor = Organization.objects.filter(kind=OrganizationKind.VENDOR).first()
        organizations = [organization for organization in (nearest, vendor) if organization is not None]
        texts = [(organization, getattr(organization, self.field)) for organization in dict.fromkeys(organizations)]
        return super().get_context_data(texts=texts, **kwargs)


class Imprint(LegalText):
    """Who is responsible."""

    field = "imprint"
    extra_context = {"title": _("Imprint"), "missing": _("No imprint has been written yet.")}


class Privacy(LegalText):
    """What happens to personal data."""

    field = "privacy"
    extra_context = {"title": _("Privacy"), "missing": _("No privacy notice has been written yet.")}
