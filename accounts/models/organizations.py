"""Organizations and the links between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.timezone import localdate, now
from django.utils.translation import gettext_lazy as _

from accounts.enums import DoubtReason, DoubtState, LinkStatus, OrganizationKind
from accounts.models.access import OrganizationOwned, OrganizationOwnedQuerySet
from accounts.names import normalize_company

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
            models.UniqueConstraint(
                fields=["country", "match_name", "match_domain"],
                condition=Q(kind="reseller") & ~Q(match_domain=""),
                name="one_reseller_per_identity",
            ),
        ]
        indexes = [models.Index(fields=["country", "match_name"]), models.Index(fields=["kind", "name"])]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the name that imports compare true to the name."""
        self.match_name = normalize_company(self.name)
        if fields := kwargs.get("update_fields"):
            kwargs["update_fields"] = {*fields, "match_name"} if "name" in fields else fields
        super().save(*args, **kwargs)

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

    owner_field: ClassVar[str] = "organization_id"

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

    owner_field: ClassVar[str] = "upstream_id"

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
    # How this upstream's files name it: later imports find it again, whatever the reseller calls itself by then.
    match_name = models.CharField(max_length=200, blank=True, editable=False)
    match_domain = models.CharField(max_length=255, blank=True, editable=False)

    objects = NetworkLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upstream", "downstream"], name="one_link_per_pair"),
            models.CheckConstraint(condition=~Q(upstream=F("downstream")), name="link_joins_two_organizations"),
        ]
        indexes = [
            models.Index(fields=["upstream", "status", "downstream"]),
            models.Index(fields=["upstream", "match_name"]),
        ]

    def __str__(self) -> str:
        return f"{self.upstream} → {self.display_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the name that imports compare true to the name this upstream uses."""
        self.match_name = normalize_company(self.display_name)
        if fields := kwargs.get("update_fields"):
            kwargs["update_fields"] = {*fields, "match_name"} if "name_as_known" in fields else fields
        super().save(*args, **kwargs)

    @property
    def display_name(self) -> str:
        """The downstream's name as this upstream knows it."""
        return self.name_as_known or self.downstream.name


class OrganizationDoubt(models.Model):
    """Two resellers of the installation that may be one; the vendor decides, distributors never learn of it."""

    shared_because: ClassVar[str] = "it compares resellers of different networks; only vendor staff see it"

    first = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(_("reason"), max_length=16, choices=DoubtReason)
    state = models.CharField(_("state"), max_length=8, choices=DoubtState, default=DoubtState.OPEN)
    created_at = models.DateTimeField(default=now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_doubt_per_pair"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="doubt_older_reseller_first"),
        ]

    def __str__(self) -> str:
        return f"{self.first} ≟ {self.second}"
