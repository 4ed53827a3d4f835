"""What happens when pages and rules change: access rows stay true, adaptations follow their page."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver
from wagtail.models import Page
from wagtail.signals import page_published

from accounts.signals import vendor_set_up
from cms import access, adaptation, trees
from cms.models import AccessRule, LevelHomePage, ZonedPage


@receiver(vendor_set_up, dispatch_uid="cms_first_trees")
def vendor_is_set_up(**kwargs: Any) -> None:
    """A new installation starts with its two content trees."""
    trees.ensure_trees()


@receiver(post_save, dispatch_uid="cms_page_access")
def page_saved(sender: type, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Keep PageAccess in the page's own transaction: Page.save() is atomic, and create, copy and move all save."""
    if isinstance(instance, Page) and not raw:
        access.sync_page(instance)


@receiver(post_save, sender=LevelHomePage, dispatch_uid="cms_level_rule")
def level_home_saved(sender: type, instance: LevelHomePage, raw: bool = False, **kwargs: Any) -> None:
    """A level home, also a copy or a translation of one, is nobody's until its level holds it."""
    if not raw:
        trees.ensure_level_rule(instance)


@receiver(pre_save, sender=AccessRule, dispatch_uid="cms_rule_moves")
def rule_about_to_move(sender: type, instance: AccessRule, raw: bool = False, **kwargs: Any) -> None:
    """A rule that moves to another root leaves its old pages first; AccessRule.save() is atomic."""
    if instance.pk and not raw:
        old = AccessRule.objects.filter(pk=instance.pk).exclude(root=instance.root_id).first()
        if old is not None:
            old.pages.all().delete()


@receiver(post_save, sender=AccessRule, dispatch_uid="cms_rule_access")
def rule_saved(sender: type, instance: AccessRule, raw: bool = False, **kwargs: Any) -> None:
    """A rule covers its whole subtree at once."""
    if not raw:
        access.rebuild(instance.root)


@receiver(page_published, dispatch_uid="cms_adaptations_follow")
def page_was_published(sender: type, instance: Page, **kwargs: Any) -> None:
    """Edits of vanished zones become history, those whose zone is back come back."""
    if isinstance(instance, ZonedPage):
        adaptation.follow_page(instance)
