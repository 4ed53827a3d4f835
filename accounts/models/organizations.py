"""Organizations and the links between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy as _

from accounts.enums import LinkStatus, OrganizationKind
from accounts.models.access import OrganizationOwned, OrganizationOwnedQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models.people import User


class OrganizationQuerySet(models.QuerySet):
    """Organizations by kind and by who may know of them."""

    def distributors(self) -> Self:
        """Tier one."""
        return self.filter(kind=OrganizationKind.DISTRIBUTOR)

    def resellers(self) -> Self:
        """Tier two."""
        return self.filter(kind=OrganizationKind.RESELLER)

    def downstream_of(self, organization: Organization) -> Self:
        """What ``organization`` serves now, through an active link."""
        return self.filter(upstream_links__upstream=organization, upstream_links__status=LinkStatus.ACTIVE)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Own organizations, those one link up or down from them; vendor staff see all.

        A distributor never learns of another distributor, nor of a reseller that is not in its network.
        """
        if not user.is_active or user.is_anonymous:
            return self.none()
        if user.is_vendor:
            return self.all()
        mine = user.memberships.values("organization_id")
        linked = NetworkLink.objects.exclude(status=LinkStatus.ENDED)
        down = linked.filter(upstream__in=mine).values("downstream_id")
        up = linked.filter(downstream__in=mine).values("upstream_id")
        return self.filter(Q(pk__in=mine) | Q(pk__in=down) | Q(pk__in=up))


class Organization(models.Model):
    """A vendor, a distributor or a reseller. What one organization thinks of another is on their NetworkLink."""

    kind = models.CharField(_("kind"), max_length=16, choices=OrganizationKind)
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("short name"), max_length=80, unique=True)
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("ISO 3166-1 alpha-2"))
    language = models.CharField(_("language"), max_length=12, default="en")
    timezone = models.CharField(_("timezone"), max_length=64, default="UTC")
    website = models.URLField(_("website"), blank=True)
    imprint = models.TextField(_("imprint"), blank=True)
    privacy = models.TextField(_("privacy notice"), blank=True)
    # Identity for imports: country + normalized name + domain that is not a free mailer.
    match_name = models.CharField(max_length=200, blank=True, editable=False)
    match_domain = models.CharField(max_length=255, blank=True, editable=False)
    # Holds object permissions (access rules); distributors and the vendor only, never one group per reseller.
    group = models.OneToOneField(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="organization")
    created_at = models.DateTimeField(default=now, editable=False)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="vendor"), name="one_vendor_per_installation"),
        ]
        indexes = [models.Index(fields=["country", "match_name"]), models.Index(fields=["kind", "name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def is_vendor(self) -> bool:
        """Whether this is the vendor of the installation."""
        return self.kind == OrganizationKind.VENDOR

    @property
    def is_distributor(self) -> bool:
        """Whether this organization passes items on."""
        return self.kind == OrganizationKind.DISTRIBUTOR


class OrganizationHost(OrganizationOwned):
    """A host name under which an organization's portal is reached."""

    owner_field = "organization_id"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="hosts")
    host = models.CharField(_("host name"), max_length=253, unique=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.host


class NetworkTag(OrganizationOwned):
    """A word one upstream uses to sort its network; no other organization sees it."""

    owner = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="network_tags")
    name = models.CharField(_("name"), max_length=60)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="one_tag_per_name")]

    def __str__(self) -> str:
        return self.name


class NetworkLinkQuerySet(OrganizationOwnedQuerySet):
    """Links by state."""

    def active(self) -> Self:
        """Links that carry cascades."""
        return self.filter(status=LinkStatus.ACTIVE)


class NetworkLink(OrganizationOwned):
    """One dated relation upstream → downstream and everything only that upstream knows of it."""

    owner_field = "upstream_id"

    upstream = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="downstream_links")
    downstream = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="upstream_links")
    status = models.CharField(_("status"), max_length=16, choices=LinkStatus, default=LinkStatus.ACTIVE)
    since = models.DateField(_("since"), default=localdate)
    until = models.DateField(_("until"), null=True, blank=True)
    customer_number = models.CharField(_("customer number"), max_length=60, blank=True)
    name_as_known = models.CharField(_("name as you know it"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    segment = models.CharField(_("segment"), max_length=80, blank=True)
    territory = models.CharField(_("territory"), max_length=80, blank=True)
    product_lines = models.CharField(_("product lines"), max_length=200, blank=True)
    is_preferred = models.BooleanField(_("preferred"), default=False)
    tags = models.ManyToManyField(NetworkTag, blank=True, related_name="links")

    objects = NetworkLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream"], name="one_link_per_pair"),
            models.CheckConstraint(condition=~Q(upstream=F("downstream")), name="link_joins_two_organizations"),
        ]
        indexes = [models.Index(fields=["upstream", "status", "downstream"])]

    def __str__(self) -> str:
        return f"{self.upstream} → {self.display_name}"

    @property
    def display_name(self) -> str:
        """The downstream's name as this upstream knows it."""
        return self.name_as_known or self.downstream.name
