"""What the vendor releases and each organization's step in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.models import Locale, Page, Revision

from accounts.enums import Function, OrganizationKind
from accounts.models import Organization, OrganizationOwned, OrganizationOwnedQuerySet
from cascade.enums import CascadeState, Goal, GoalScope, HopState, Tier

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class CascadeQuerySet(models.QuerySet):
    """Cascades by state and by who may see them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Vendor staff: all. Distributors: what was offered to them. Others: none (they see items, not cascades)."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_vendor:
            return self.all()
        mine = user.memberships.filter(organization__kind=OrganizationKind.DISTRIBUTOR).values("organization_id")
        return self.exclude(state=CascadeState.DRAFT).filter(
            pk__in=Hop.objects.filter(organization__in=mine).values("cascade_id")
        )

    def live(self) -> Self:
        """Open: may be passed on and acted upon."""
        return self.filter(state=CascadeState.OPEN)


class Cascade(models.Model):
    """A vendor's release of an item down the chain: to which distributors, until when, with what goal."""

    name = models.CharField(_("name"), max_length=200)
    reason = models.CharField(
        _("why it matters"), max_length=300, blank=True, help_text=_("One line for distributors, shown in their inbox.")
    )
    state = models.CharField(_("state"), max_length=16, choices=CascadeState, default=CascadeState.DRAFT)
    is_mandatory = models.BooleanField(_("mandatory"), default=False, help_text=_("Distributors may not decline."))
    goal = models.CharField(_("goal for resellers"), max_length=16, choices=Goal, default=Goal.ACKNOWLEDGED)
    goal_scope = models.CharField(
        _("a reseller is done when"), max_length=16, choices=GoalScope, default=GoalScope.ANYONE
    )
    goal_function = models.CharField(_("function"), max_length=16, choices=Function, blank=True)
    pass_on_by = models.DateTimeField(_("pass on by"), help_text=_("UTC; shown in each reader's timezone."))
    due_at = models.DateTimeField(_("resellers' due date"))
    topic = models.CharField(max_length=16, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    recall_reason = models.TextField(_("reason for the recall"), blank=True)

    objects = CascadeQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(goal_scope="function") ^ Q(goal_function=""), name="goal_function_only_with_its_scope"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def image_scope(self) -> str:
        """What the public copies of its mails' pictures are withdrawn by (``cms.mail_images``)."""
        return f"cascade-{self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether it may be passed on and acted upon."""
        return self.state == CascadeState.OPEN


class CascadeContent(models.Model):
    """The page a cascade carries in one language, with the revision that was live at the release (as evidence)."""

    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="contents")
    locale = models.ForeignKey(Locale, on_delete=models.PROTECT, related_name="+")
    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="cascade_contents")
    revision = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cascade", "locale"], name="one_page_per_language")]

    def __str__(self) -> str:
        return f"{self.cascade} ({self.locale.language_code})"


class HopQuerySet(OrganizationOwnedQuerySet):
    """Hops by tier."""

    def of_distributors(self) -> Self:
        """The middle step; leaves out the vendor's own hop."""
        return self.filter(tier=Tier.RESELLERS)


class Hop(OrganizationOwned):
    """One organization's step of a cascade. Tier 1 is the vendor's own (its waves notify the distributors)."""

    owner_field: ClassVar[str] = "organization_id"

    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="hops")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="hops")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    tier = models.PositiveSmallIntegerField(choices=Tier)
    state = models.CharField(_("state"), max_length=16, choices=HopState, default=HopState.OFFERED)
    offered_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decline_reason = models.CharField(_("reason"), max_length=300, blank=True)
    adapted_at = models.DateTimeField(null=True, blank=True)
    first_sent_at = models.DateTimeField(null=True, blank=True, help_text="When the first message of any wave left.")
    audience = models.JSONField(default=dict, help_text="The audience being prepared; see cascade.audience.")

    objects = HopQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cascade", "organization"], name="one_hop_per_organization")]
        indexes = [models.Index(fields=["organization", "state"])]

    def __str__(self) -> str:
        return f"{self.organization} · {self.cascade}"


class Edge(OrganizationOwned):
    """One organization that a hop gave the item to: who may see it, who is counted, who gets credit.

    ``visible_to`` is the giver's view; the receiver finds its edges through ``organization``.
    """

    owner_field: ClassVar[str] = "hop__organization_id"

    hop = models.ForeignKey(Hop, on_delete=models.CASCADE, related_name="edges")
    cascade = models.ForeignKey(Cascade, on_delete=models.CASCADE, related_name="edges")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="edges")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hop", "organization"], name="one_edge_per_organization")]
        indexes = [models.Index(fields=["cascade", "organization"]), models.Index(fields=["organization", "cascade"])]

    def __str__(self) -> str:
        return f"{self.hop} → {self.organization}"
