"""The first steps of an installation: its vendor and the vendor's first owner."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts import audit, groups, people
from accounts.enums import OrganizationKind, Role
from accounts.mail import absolute_url
from accounts.models import Brand, Membership, Organization, User
from accounts.signals import vendor_set_up


class AlreadySetUp(Exception):
    """The installation has its vendor."""


@transaction.atomic
def set_up_vendor(
    name: str, email: str, *, owner_name: str = "", password: str | None = None, language: str = "en"
) -> User:
    """Create the vendor with its brand, the groups, and the first owner, who may do everything in the Wagtail admin.

    Without a password the owner chooses one through ``password_link``. Raises AlreadySetUp when there is a vendor,
    ValidationError on an unusable address.
    """
    if Organization.objects.filter(kind=OrganizationKind.VENDOR).exists():
        raise AlreadySetUp(_("There is a vendor already; its owners invite further people."))
    groups.ensure_groups()
    vendor = Organization.objects.create(
        kind=OrganizationKind.VENDOR, name=name, slug=slugify(name)[:80] or "vendor", language=language
    )
    Brand.objects.create(organization=vendor)
    owner = people.create_account(email, password, name=owner_name, language=language, is_superuser=True)
    Membership.objects.create(user=owner, organization=vendor, role=Role.OWNER)
    audit.record("vendor.set_up", by=None, owner=vendor, obj=owner)
    vendor_set_up.send(sender=Organization)
    return owner


def password_link(user: User) -> str:
    """An address where ``user`` chooses a password: good once, and for as long as a password reset (three days)."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    uid, _dash, token = key.partition("-")
    return absolute_url("account_reset_password_from_key", uidb36=uid, key=token)
