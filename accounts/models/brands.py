"""An organization's brand."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import DomainState
from accounts.models.access import OrganizationOwned
from accounts.models.organizations import Organization

hex_color = RegexValidator(r"^#[0-9a-fA-F]{6}$", _("Give the color as # and six hex digits, for example #0b5fff."))


def logo_path(brand: Brand, filename: str) -> str:
    """Where a logo lies: an unguessable name given by its content; ``filename`` is the digest with its suffix."""
    return f"brands/{brand.organization_id}/{filename}"


class Brand(OrganizationOwned):
    """Logo, colors, addresses, contact and sender of one organization."""

    owner_field: ClassVar[str] = "organization_id"

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="brand")
    # Every logo is kept as a cleaned raster for mail and, when it came as SVG, the sanitized vector too.
    logo = models.FileField(_("logo"), upload_to=logo_path, blank=True)
    logo_dark = models.FileField(_("logo on dark"), upload_to=logo_path, blank=True)
    logo_vector = models.FileField(upload_to=logo_path, blank=True, editable=False)
    logo_width = models.PositiveIntegerField(default=0, editable=False)
    logo_height = models.PositiveIntegerField(default=0, editable=False)
    color = models.CharField(_("brand color"), max_length=7, default="#0b5fff", validators=[hex_color])
    color_secondary = models.CharField(_("second color"), max_length=7, blank=True, validators=[hex_color])
    sender_name = models.CharField(_("sender name"), max_length=120, blank=True)
    reply_to = models.EmailField(_("reply-to address"), blank=True)
    from_address = models.EmailField(_("from address"), blank=True)
    domain_state = models.CharField(max_length=16, choices=DomainState, default=DomainState.UNVERIFIED, editable=False)
    postal_address = models.TextField(_("postal address"), blank=True)
    legal_footer = models.TextField(_("legal footer"), blank=True)
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    contact_email = models.EmailField(_("contact's e-mail"), blank=True)
    contact_phone = models.CharField(_("contact's phone"), max_length=60, blank=True)
    contact_photo = models.FileField(_("contact's photo"), upload_to=logo_path, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.organization}"

    @property
    def name(self) -> str:
        """What mails and pages call this brand."""
        return self.sender_name or self.organization.name

    @property
    def fingerprint(self) -> str:
        """Short digest of everything the stylesheet depends on; part of its address, so it can be cached for ever."""
        return hashlib.sha256(f"{self.color}|{self.color_secondary}".encode()).hexdigest()[:12]
