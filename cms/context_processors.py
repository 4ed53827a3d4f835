"""What every page of the portal needs: whose brand it wears, the vendor's name, the navigation, the person's theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, cached_property

from accounts.enums import OrganizationKind
from accounts.models import Organization
from cms import navigation, theme

if TYPE_CHECKING:
    from accounts.viewer import Viewer

THEMES = frozenset({"light", "dark"})


@dataclass(frozen=True)
class Look:
    """What templates need of a brand. Without an organization: the platform's own neutral look."""

    name: str
    css_url: str = ""
    logo_url: str = ""
    logo_dark_url: str = ""

    @classmethod
    def of(cls, organization: Organization | None) -> Look:
        """The look of ``organization``, which should come with its brand (``select_related("brand")``)."""
        if organization is None:
            return cls(name=settings.WAGTAIL_SITE_NAME)
        brand = getattr(organization, "brand", None)
        if brand is None:
            return cls(name=organization.name)
        return cls(
            name=organization.name,
            css_url=theme.stylesheet_url(brand),
            logo_url=theme.logo_url(brand),
            logo_dark_url=theme.logo_url(brand, dark=True) if brand.logo_dark else "",
        )


class Shell:
    """The frame of one page; nothing is queried before a template asks."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.viewer: Viewer | None = getattr(request, "viewer", None)  # None: the error came before the middleware
        self.host_organization: Organization | None = getattr(request, "host_organization", None)

    @cached_property
    def vendor(self) -> Organization | None:
        """The vendor of this installation; None before the first set-up."""
        return Organization.objects.filter(kind=OrganizationKind.VENDOR).select_related("brand").first()

    @cached_property
    def organization(self) -> Organization | None:
        """Whose look the page wears: the person's distributor, the vendor for its own people, none for people without
        either; the host's organization, else the vendor, for who is not signed in."""
        if not self._is_signed_in:
            return self.host_organization or self.vendor
        viewer = self.viewer
        assert viewer is not None
        return viewer.distributor or (self.vendor if viewer.kind == OrganizationKind.VENDOR else None)

    @cached_property
    def brand(self) -> Look:
        """The look of ``organization``."""
        return Look.of(self.organization)

    @cached_property
    def vendor_name(self) -> str:
        """The vendor's name."""
        return self.vendor.name if self.vendor else ""

    @cached_property
    def organization_name(self) -> str:
        """The organization the signed-in person acts for."""
        if not self._is_signed_in or self.viewer is None or self.viewer.organization is None:
            return ""
        return self.viewer.organization.name

    @cached_property
    def nav(self) -> list[navigation.Link]:
        """The navigation of the signed-in person."""
        return navigation.links_for(self.request, self.viewer) if self._is_signed_in and self.viewer else []

    @property
    def _is_signed_in(self) -> bool:
        return self.viewer is not None and self.viewer.user.is_authenticated


def portal(request: HttpRequest) -> dict[str, Any]:
    """``viewer``, ``brand``, ``vendor_name``, ``organization_name``, ``nav`` and ``theme``, all but the last lazy."""
    shell = Shell(request)
    theme = request.COOKIES.get("theme", "")
    return {
        "viewer": shell.viewer,
        "brand": SimpleLazyObject(lambda: shell.brand),
        "vendor_name": SimpleLazyObject(lambda: shell.vendor_name),
        "organization_name": SimpleLazyObject(lambda: shell.organization_name),
        "nav": SimpleLazyObject(lambda: shell.nav),
        "theme": theme if theme in THEMES else "",
    }
