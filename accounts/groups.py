"""Groups that follow from memberships: level groups, one per distributor, and the vendor's staff.

Groups hold object permissions (access rules) and Wagtail's page permissions. A reseller's people are only in the
group of their level: with one group per reseller, three thousand of them already make Wagtail's forms unusable.
Groups of other kinds (programs such as "Gold") are made by hand; nothing here touches them.
"""

from __future__ import annotations

from collections import defaultdict

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Page

from accounts.enums import MANAGING_ROLES, OrganizationKind
from accounts.models import Membership, Organization, User

DISTRIBUTOR_LEVEL = "Distributor level"  # everybody who belongs to a distributor
RESELLER_LEVEL = "Reseller level"  # everybody who belongs to a reseller
VENDOR_STAFF = "Vendor staff"  # may enter the Wagtail admin
VENDOR_MARKETERS = "Vendor marketers"  # write, publish and release

LEVEL_GROUPS = {OrganizationKind.DISTRIBUTOR: DISTRIBUTOR_LEVEL, OrganizationKind.RESELLER: RESELLER_LEVEL}
FIXED_GROUPS = (DISTRIBUTOR_LEVEL, RESELLER_LEVEL, VENDOR_STAFF, VENDOR_MARKETERS)

PAGE_PERMISSIONS = ("add_page", "change_page", "publish_page", "lock_page", "unlock_page")
FILE_PERMISSIONS = ("add_image", "change_image", "choose_image", "add_document", "change_document", "choose_document")


def level_group(kind: str) -> Group:
    """The group of everybody who belongs to an organization of ``kind`` (distributor or reseller)."""
    return Group.objects.get_or_create(name=LEVEL_GROUPS[OrganizationKind(kind)])[0]


def organization_group(organization: Organization) -> Group | None:
    """The group of ``organization``'s people; made when missing. None for resellers, who never get one."""
    if organization.kind == OrganizationKind.RESELLER:
        return None
    name = f"{organization.name[:120]} (#{organization.pk})"
    if organization.group is None:
        organization.group = Group.objects.get_or_create(name=name)[0]
        organization.save(update_fields=["group"])
    elif organization.group.name != name:
        organization.group.name = name
        organization.group.save(update_fields=["name"])
    return organization.group


def sync_user(user: User) -> None:
    """Put ``user`` into exactly the managed groups that their memberships give."""
    wanted: set[int] = set()
    names: set[str] = set()
    for membership in Membership.objects.filter(user=user).select_related("organization"):
        names |= _fixed_names(membership.organization.kind, membership.role)
        if membership.organization.group_id:
            wanted.add(membership.organization.group_id)
    wanted |= set(Group.objects.filter(name__in=names).values_list("pk", flat=True))
    present = set(user.groups.filter(_managed()).values_list("pk", flat=True))
    user.groups.remove(*present - wanted)
    user.groups.add(*wanted - present)


def sync_everybody() -> int:
    """Bring all groups in step after rows were written in bulk. Returns the number of changed group memberships."""
    ids = dict(Group.objects.filter(name__in=FIXED_GROUPS).values_list("name", "pk"))
    wanted: dict[int, set[int]] = defaultdict(set)
    rows = Membership.objects.values_list("user_id", "role", "organization__kind", "organization__group_id")
    for user, role, kind, group in rows.iterator():
        wanted[user] |= {ids[name] for name in _fixed_names(kind, role)}
        if group:
            wanted[user].add(group)
    through = User.groups.through
    managed = Group.objects.filter(_managed())
    present = set(through.objects.filter(group__in=managed).values_list("user_id", "group_id"))
    target = {(user, group) for user, groups in wanted.items() for group in groups}
    for user, group in present - target:
        through.objects.filter(user_id=user, group_id=group).delete()
    missing = [through(user_id=user, group_id=group) for user, group in target - present]
    through.objects.bulk_create(missing, batch_size=400, ignore_conflicts=True)
    return len(present ^ target)


@transaction.atomic
def ensure_groups() -> None:
    """Create what is missing: fixed groups with their permissions, and a group per distributor. Safe to repeat."""
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in FIXED_GROUPS}
    for label in ("wagtailcore", "wagtailadmin", "wagtailimages", "wagtaildocs"):
        create_permissions(apps.get_app_config(label), verbosity=0)  # their own turn may come after ours
    admin = Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin")
    groups[VENDOR_STAFF].permissions.add(admin)
    _grant_pages(groups[VENDOR_MARKETERS])
    _grant_files(groups[VENDOR_MARKETERS])
    without = Organization.objects.exclude(kind=OrganizationKind.RESELLER).filter(group=None)
    if sum(organization_group(organization) is not None for organization in without):
        sync_everybody()


def _grant_pages(group: Group) -> None:
    root = Page.get_first_root_node()
    if root is None:  # a flushed test database
        return
    for permission in Permission.objects.filter(
        content_type__app_label="wagtailcore", content_type__model="page", codename__in=PAGE_PERMISSIONS
    ):
        GroupPagePermission.objects.get_or_create(group=group, page=root, permission=permission)


def _grant_files(group: Group) -> None:
    root = Collection.get_first_root_node()
    if root is None:
        return
    for permission in Permission.objects.filter(
        content_type__app_label__in=("wagtailimages", "wagtaildocs"), codename__in=FILE_PERMISSIONS
    ):
        GroupCollectionPermission.objects.get_or_create(group=group, collection=root, permission=permission)


def _fixed_names(kind: str, role: str) -> set[str]:
    if kind == OrganizationKind.VENDOR:
        return {VENDOR_STAFF, VENDOR_MARKETERS} if role in MANAGING_ROLES else {VENDOR_STAFF}
    return {LEVEL_GROUPS[OrganizationKind(kind)]}


def _managed() -> Q:
    return Q(name__in=FIXED_GROUPS) | Q(organization__isnull=False)
