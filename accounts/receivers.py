"""What follows when accounts change; connected in ``AppConfig.ready()``."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import email_changed, email_confirmed
from django.db import connections
from django.db.models.signals import post_delete, post_migrate, post_save
from django.dispatch import receiver
from wagtail.users.models import UserProfile

from accounts import groups, people
from accounts.imports import steps
from accounts.models import Membership, Organization, Person, User
from accounts.signals import person_erasing


@receiver(post_migrate, dispatch_uid="accounts_ensure_groups")
def ensure_groups(sender: Any, using: str, **kwargs: Any) -> None:
    """After each migrate (and flush) the groups and their permissions are there."""
    if sender.label != "accounts":
        return
    tables = set(connections[using].introspection.table_names())
    if {"accounts_organization", "wagtailcore_grouppagepermission", "wagtailimages_image"} <= tables:
        groups.ensure_groups()


@receiver(post_save, sender=Organization, dispatch_uid="accounts_organization_group")
def keep_organization_group(instance: Organization, update_fields: frozenset[str] | None, **kwargs: Any) -> None:
    """A distributor has its group from its first day, under its present name."""
    if not kwargs.get("raw") and (update_fields is None or "name" in update_fields):
        groups.organization_group(instance)


@receiver(post_delete, sender=Organization, dispatch_uid="accounts_organization_group_gone")
def drop_organization_group(instance: Organization, **kwargs: Any) -> None:
    """A group without its organization would keep its grants."""
    if instance.group is not None:
        instance.group.delete()


@receiver([post_save, post_delete], sender=Membership, dispatch_uid="accounts_membership_groups")
def keep_groups_in_step(instance: Membership, **kwargs: Any) -> None:
    """Groups follow memberships, and who works for the vendor finds the admin in their own language and zone."""
    if not kwargs.get("raw"):
        groups.sync_user(instance.user)
        if instance.organization.is_vendor:
            _give_admin_preferences(instance.user)


@receiver(post_save, sender=Person, dispatch_uid="accounts_admin_preferences")
def keep_admin_preferences(
    instance: Person, created: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """Wagtail's admin keeps preferences of its own; one choice, made in the profile, is enough."""
    if created or kwargs.get("raw") or (update_fields is not None and not {"language", "timezone"} & update_fields):
        return
    user = User.objects.filter(person=instance).first()
    if user is not None and user.is_vendor:
        _give_admin_preferences(user)


def _give_admin_preferences(user: User) -> None:
    profile = UserProfile.get_for_user(user)
    profile.preferred_language, profile.current_time_zone = user.person.language, user.person.timezone
    profile.save(update_fields=["preferred_language", "current_time_zone"])


@receiver([email_changed, email_confirmed], dispatch_uid="accounts_take_address")
def keep_one_person(**kwargs: Any) -> None:
    """A confirmed address belongs to the person who confirmed it, with whatever was known about it before."""
    confirmed = kwargs.get("to_email_address") or kwargs["email_address"]
    if confirmed.verified:
        people.take_address(confirmed.user, confirmed.email)


@receiver(person_erasing, dispatch_uid="accounts_forget_in_imports")
def forget_in_imports(addresses: list[str], **kwargs: Any) -> None:
    """Rows of imported files hold copies of addresses."""
    for email in addresses:
        steps.forget_address(email)
