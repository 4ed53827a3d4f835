"""Who knows of whom, for the whole cast."""

from accounts.models import Contact, Membership, Organization
from tests.factories.accounts import ContactFactory


def test_organizations_visible_to_each_role(
    vendor, distributor, other_distributor, reseller, other_reseller, vendor_editor, distributor_manager,
    distributor_member, reseller_member, stranger, reseller_stranger,
):  # fmt: skip
    def seen(user):
        return set(Organization.objects.visible_to(user))

    assert seen(vendor_editor) == {vendor, distributor, other_distributor, reseller, other_reseller}
    assert seen(distributor_manager) == seen(distributor_member) == {vendor, distributor, reseller}
    assert seen(stranger) == {vendor, other_distributor, other_reseller}
    assert seen(reseller_member) == {distributor, reseller}
    assert seen(reseller_stranger) == {other_distributor, other_reseller}


def test_contacts_visible_to_owner_only_even_with_the_same_address(
    distributor, other_distributor, reseller, vendor_editor, distributor_manager, reseller_member, stranger
):
    mine = ContactFactory(owner=distributor, organization=reseller, email="ann@cobalt.example")
    theirs = ContactFactory(owner=other_distributor, organization=reseller, email="ann@cobalt.example")

    assert mine.address == theirs.address
    assert set(Contact.objects.visible_to(distributor_manager)) == {mine}
    assert set(Contact.objects.visible_to(stranger)) == {theirs}
    assert not Contact.objects.visible_to(vendor_editor).exists()
    assert not Contact.objects.visible_to(reseller_member).exists()


def test_memberships_invisible_to_an_inactive_member(distributor_manager):
    distributor_manager.is_active = False
    assert not Membership.objects.visible_to(distributor_manager).exists()
