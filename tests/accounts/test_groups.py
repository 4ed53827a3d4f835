"""Groups follow memberships."""

from django.contrib.auth.models import Group

from accounts import groups
from accounts.enums import Role
from accounts.models import Membership, Organization
from tests.factories.accounts import MembershipFactory, UserFactory


def names(user):
    return set(user.groups.values_list("name", flat=True))


def test_groups_of_each_role(vendor, vendor_editor, distributor_manager, reseller_member, distributor):
    assert names(vendor_editor) == {groups.VENDOR_STAFF, groups.VENDOR_MARKETERS, f"Northwind (#{vendor.pk})"}
    assert names(distributor_manager) == {groups.DISTRIBUTOR_LEVEL, f"Acme Distribution (#{distributor.pk})"}
    assert names(reseller_member) == {groups.RESELLER_LEVEL}


def test_resellers_get_no_group_of_their_own(reseller_member, reseller):
    reseller.refresh_from_db()
    assert reseller.group is None
    assert Group.objects.filter(organization__kind="reseller").count() == 0


def test_a_vendor_member_enters_the_admin_but_is_no_marketer(vendor):
    user = MembershipFactory(organization=vendor, role=Role.MEMBER).user
    assert user.has_perm("wagtailadmin.access_admin")
    assert groups.VENDOR_MARKETERS not in names(user)


def test_leaving_takes_the_groups_away_but_keeps_those_made_by_hand(distributor_manager, reseller):
    gold = Group.objects.create(name="Gold")
    distributor_manager.groups.add(gold)
    MembershipFactory(user=distributor_manager, organization=reseller)
    assert groups.RESELLER_LEVEL in names(distributor_manager)

    distributor_manager.memberships.filter(organization__kind="distributor").delete()
    assert names(distributor_manager) == {"Gold", groups.RESELLER_LEVEL}


def test_a_deleted_organization_takes_its_group_along(distributor, distributor_manager):
    group = Organization.objects.get(pk=distributor.pk).group_id
    distributor.delete()
    assert not Group.objects.filter(pk=group).exists()
    assert names(distributor_manager) == set()


def test_deleting_a_user_with_memberships_leaves_nothing(distributor_manager, reseller):
    MembershipFactory(user=distributor_manager, organization=reseller)
    distributor_manager.delete()
    assert not Membership.objects.exists()


def test_a_new_name_renames_the_group(distributor):
    distributor.name = "Acme Distribution und Handelsgesellschaft für Informationstechnik mbH"
    distributor.save()
    distributor.refresh_from_db()
    assert distributor.group.name == f"{distributor.name} (#{distributor.pk})"


def test_sync_everybody_repairs_rows_written_in_bulk(distributor, distributor_manager, reseller_member, reseller):
    newcomers = [UserFactory() for _ in range(3)]
    Membership.objects.bulk_create([Membership(user=user, organization=distributor) for user in newcomers])
    reseller_member.groups.clear()
    distributor_manager.groups.add(Group.objects.get(name=groups.VENDOR_MARKETERS))

    assert groups.sync_everybody() == 3 * 2 + 1 + 1
    assert names(newcomers[0]) == {groups.DISTRIBUTOR_LEVEL, f"Acme Distribution (#{distributor.pk})"}
    assert names(reseller_member) == {groups.RESELLER_LEVEL}
    assert groups.VENDOR_MARKETERS not in names(distributor_manager)
    assert groups.sync_everybody() == 0


def test_ensure_groups_may_run_again(db):
    groups.ensure_groups()
    marketers = Group.objects.get(name=groups.VENDOR_MARKETERS)
    assert sorted(marketers.page_permissions.values_list("permission__codename", flat=True)) == sorted(
        groups.PAGE_PERMISSIONS
    )
    assert sorted(marketers.collection_permissions.values_list("permission__codename", flat=True)) == sorted(
        groups.FILE_PERMISSIONS
    )
