"""The first steps of a new distributor: brand, sender, network, and one mail to oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from accounts.models import AuditEvent, Contact
from cascade.models import Hop

if TYPE_CHECKING:
    from accounts.models import Organization

TEST_SENT = "hop.tested"  # name of the audit event of a test mail


@dataclass(frozen=True)
class Step:
    """One thing to set up."""

    title: str
    text: str
    url: str
    action: str
    is_done: bool


def steps(organization: Organization) -> list[Step]:
    """The steps in order; done ones stay in the list. Four queries."""
    brand = getattr(organization, "brand", None)
    has_sent = Hop.objects.filter(organization=organization, first_sent_at__isnull=False).exists()
    return [
        Step(
            _("Your brand"),
            _("Logo and color. Everything your resellers get looks like you."),
            reverse("brand"),
            _("Set up the brand"),
            bool(brand and brand.logo),
        ),
        Step(
            _("Your sender"),
            _("Reply-to and postal address, so that people can answer and the law is content."),
            reverse("brand"),
            _("Set up the sender"),
            bool(brand and brand.reply_to and brand.postal_address.strip()),
        ),
        Step(
            _("Your network"),
            _("Your resellers and the people there, from a CSV or Excel file. Nothing is written before you confirm."),
            _import_url(),
            _("Import"),
            Contact.objects.filter(owner=organization).exists(),
        ),
        Step(
            _("A first mail, to yourself"),
            _("Open an item, make it yours, and send yourself a test. Nobody else gets it."),
            _test_url(organization),
            _("Send a test"),
            has_sent or AuditEvent.objects.filter(owner=organization, name=TEST_SENT).exists(),
        ),
    ]


def _test_url(organization: Organization) -> str:
    hop = (
        Hop.objects.of_distributors()
        .filter(organization=organization, cascade__state="open", state__in=["accepted", "offered"])
        .order_by("state", "cascade__pass_on_by")
        .first()
    )
    if hop is None:
        return reverse("workspace_inbox")
    return reverse("workspace_send" if hop.state == "accepted" else "workspace_adapt", args=[hop.pk])


def _import_url() -> str:
    for name in ("network_import", "network"):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return reverse("workspace_inbox")
