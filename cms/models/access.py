"""Who may see which subtree: access rules and what they cover."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from wagtail.models import Page

from cms.enums import Level


class AccessRule(models.Model):
    """A condition on a subtree. Rules of all ancestors must hold; an inner rule never widens an outer one.

    Holders are groups (levels, programs, distributor organizations) or single people: guardian's ``view_accessrule``.
    """

    name = models.CharField(_("name"), max_length=120)
    root = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="access_rules")
    level = models.CharField(
        _("level"), max_length=16, choices=Level, blank=True, help_text=_("Set on the rule of a level home only.")
    )

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [models.UniqueConstraint(fields=["root", "name"], name="one_rule_per_name_and_root")]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Atomic, so that the rows of the pages it covers (see ``cms.receivers``) are never seen without it."""
        super().save(*args, **kwargs)


class AccessRuleUserPermission(UserObjectPermissionBase):
    """Guardian's direct foreign-key table: rows go with the rule, so a reused id inherits nothing."""

    content_object = models.ForeignKey(AccessRule, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        pass


class AccessRuleGroupPermission(GroupObjectPermissionBase):
    """As above, for groups."""

    content_object = models.ForeignKey(AccessRule, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        pass


class PageAccess(models.Model):
    """A rule that holds for a page, materialized in the page's own transaction; a page without a row is invisible."""

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="access")
    rule = models.ForeignKey(AccessRule, on_delete=models.CASCADE, related_name="pages")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "rule"], name="one_row_per_page_and_rule")]
        indexes = [models.Index(fields=["rule", "page"])]

    def __str__(self) -> str:
        return f"{self.page_id}: {self.rule_id}"
