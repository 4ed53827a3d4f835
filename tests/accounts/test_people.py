"""One person across addresses, what is held about them, and forgetting them."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts import consent, people
from accounts.enums import ConsentBasis, Role, SuppressionReason, SuppressionScope, Topic
from accounts.models import Address, AuditEvent, Consent, Contact, Invitation, Person, Suppression, User
from accounts.models.people import address_hash
from tests.factories.accounts import (
    PASSWORD,
    AddressFactory,
    ConsentFactory,
    ContactFactory,
    MembershipFactory,
    NetworkLinkFactory,
    UserFactory,
    member,
)


# --- one person ---------------------------------------------------------------------------------------------------
def test_merge_moves_everything_and_keeps_what_was_chosen(distributor, reseller):
    keep = UserFactory(name="Ann").person
    contact = ContactFactory(owner=distributor, organization=reseller, email="ann@cobalt.example")
    other = contact.address.person
    Person.objects.filter(pk=other.pk).update(language="de")
    other.refresh_from_db()

    people.merge(keep, other)

    contact.refresh_from_db()
    keep.refresh_from_db()
    assert contact.address.person == keep
    assert keep.language == "de"
    assert not Person.objects.filter(pk=other.pk).exists()


def test_merge_of_two_accounts_is_refused_and_changes_nothing(db):
    one, two = UserFactory(), UserFactory()
    with pytest.raises(people.CannotMerge):
        people.merge(one.person, two.person)
    assert Person.objects.count() == 2


def test_take_address_of_somebody_with_more_moves_only_the_address(db):
    address = AddressFactory(email="desk@cobalt.example")
    AddressFactory(email="old@cobalt.example", person=address.person)
    former, user = address.person, UserFactory()

    people.take_address(user, "desk@cobalt.example")

    address.refresh_from_db()
    assert address.person == user.person
    assert [a.email for a in former.addresses.all()] == ["old@cobalt.example"]


def test_create_account_keeps_the_person_a_contact_already_is(distributor, reseller):
    contact = ContactFactory(owner=distributor, organization=reseller, email="ann@cobalt.example")
    user = people.create_account("ann@cobalt.example", PASSWORD, name="Ann")
    assert user.person == contact.address.person


# --- consent ------------------------------------------------------------------------------------------------------
def test_without_a_basis_nobody_is_mailed(distributor):
    address = AddressFactory()
    assert consent.why_not_mailable(address, distributor) == consent.NotMailable.NO_CONSENT
    consent.record(address, distributor, ConsentBasis.CUSTOMER, source="crm.csv")
    assert consent.why_not_mailable(address, distributor) is None


def test_a_basis_for_one_topic_or_sender_is_none_for_another(distributor, other_distributor):
    address = AddressFactory()
    consent.record(address, distributor, ConsentBasis.CONSENT, source="form", topic=Topic.EVENTS)
    assert consent.why_not_mailable(address, distributor, Topic.EVENTS) is None
    assert consent.why_not_mailable(address, distributor, Topic.NEWS) == consent.NotMailable.NO_CONSENT
    assert consent.why_not_mailable(address, other_distributor, Topic.EVENTS) == consent.NotMailable.NO_CONSENT


@pytest.mark.parametrize(
    ("scope", "blocked"),
    [
        (SuppressionScope.SENDER, {("acme", "news"), ("acme", "events")}),
        (SuppressionScope.TOPIC, {("acme", "news"), ("borealis", "news")}),
        (
            SuppressionScope.GLOBAL,
            {("acme", "news"), ("acme", "events"), ("borealis", "news"), ("borealis", "events")},
        ),
    ],
)
def test_a_refusal_reaches_as_far_as_its_scope(scope, blocked, distributor, other_distributor):
    address = AddressFactory()
    for sender in (distributor, other_distributor):
        ConsentFactory(address=address, sender=sender)
    consent.suppress(address.email, scope, SuppressionReason.UNSUBSCRIBED, sender=distributor, topic=Topic.NEWS)
    consent.suppress(address.email, scope, SuppressionReason.COMPLAINED, sender=distributor, topic=Topic.NEWS)

    assert Suppression.objects.get().reason == SuppressionReason.UNSUBSCRIBED  # twice is once
    assert {
        (sender.slug, topic)
        for sender in (distributor, other_distributor)
        for topic in ("news", "events")
        if consent.why_not_mailable(address, sender, topic)
    } == blocked


def test_resubscribing_lifts_one_refusal_and_notes_the_agreement(distributor, other_distributor):
    address = AddressFactory()
    for sender in (distributor, other_distributor):
        ConsentFactory(address=address, sender=sender)
        consent.suppress(address.email, SuppressionScope.SENDER, SuppressionReason.UNSUBSCRIBED, sender=sender)
    consent.resubscribe(address, SuppressionScope.SENDER, source="preferences page", sender=distributor)

    assert consent.why_not_mailable(address, distributor) is None
    assert consent.why_not_mailable(address, other_distributor) == consent.NotMailable.UNSUBSCRIBED
    assert Consent.objects.get(sender=distributor).basis == ConsentBasis.CONSENT


def test_a_new_basis_lifts_no_refusal(distributor):
    address = AddressFactory()
    consent.suppress(address.email, SuppressionScope.SENDER, SuppressionReason.UNSUBSCRIBED, sender=distributor)
    consent.record(address, distributor, ConsentBasis.CONSENT, source="crm.csv")
    assert consent.why_not_mailable(address, distributor) == consent.NotMailable.UNSUBSCRIBED


def test_members_may_be_mailed_by_their_upstreams_only(distributor, other_distributor, reseller_member):
    address = reseller_member.person.addresses.get()
    assert consent.why_not_mailable(address, distributor) is None
    assert consent.why_not_mailable(address, other_distributor) == consent.NotMailable.NO_CONSENT


# --- export -------------------------------------------------------------------------------------------------------
def test_export_holds_what_is_held(client, distributor, reseller, reseller_member):
    ContactFactory(owner=distributor, organization=reseller, email=reseller_member.email, name="Frau R.")
    ContactFactory(owner=distributor, organization=reseller, email="marker@cobalt.example", name="Somebody Else")
    client.force_login(reseller_member)
    response = client.post(reverse("profile_export"))

    archive = zipfile.ZipFile(io.BytesIO(response.content))
    data = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert data["known_as_contact.json"][0]["name"] == "Frau R."
    assert data["memberships.json"][0]["organization__name"] == "Cobalt Systems"
    assert data["account.json"][0]["email"] == "rita@cobalt.example"
    assert b"marker" not in b"".join(archive.read(name) for name in archive.namelist())
    assert AuditEvent.objects.get(name="person.exported").actor == reseller_member


def test_export_by_get_is_refused(client, reseller_member):
    client.force_login(reseller_member)
    assert client.get(reverse("profile_export")).status_code == 405


# --- erasure ------------------------------------------------------------------------------------------------------
def test_erase_leaves_no_name_and_no_address_and_nobody_mails_them_again(
    client, distributor, other_distributor, reseller, reseller_member
):
    email = reseller_member.email
    for owner in (distributor, other_distributor):
        ContactFactory(owner=owner, organization=reseller, email=email, name="Frau R.")
    client.force_login(reseller_member)
    client.post(reverse("profile_erase"), {"password": "wrong"})
    assert User.objects.filter(email=email).exists()

    response = client.post(reverse("profile_erase"), {"password": PASSWORD})

    assert response.url == reverse("account_login")
    assert "_auth_user_id" not in client.session
    assert not User.objects.filter(email=email).exists()
    assert not Contact.objects.filter(name="Frau R.").exists()
    assert not Address.objects.filter(email=email).exists()
    assert Person.objects.get(pk=reseller_member.person_id).name == ""
    again = ContactFactory(owner=distributor, organization=reseller, email=email)  # as a later import would
    assert consent.why_not_mailable(again.address, distributor) == consent.NotMailable.UNSUBSCRIBED
    assert Suppression.objects.get().email_hash == address_hash(email)


def test_erase_of_the_only_owner_with_colleagues_is_refused_until_forced(distributor_owner, distributor_member):
    with pytest.raises(people.LastOwner, match="Acme"):
        people.erase(distributor_owner.person, by=distributor_owner)
    people.erase(distributor_owner.person, by=None, force=True)
    assert not User.objects.filter(email="owner@acme.example").exists()


def test_erase_ends_invitations(distributor, distributor_owner, client):
    from accounts import invitations

    AddressFactory(email="nora@acme.example")
    invitations.invite(distributor, "nora@acme.example", by=distributor_owner)
    people.erase(Address.objects.get(email="nora@acme.example").person, by=None)
    assert not Invitation.objects.exists()


def test_person_data_command(tmp_path, distributor, reseller, capsys):
    contact = ContactFactory(owner=distributor, organization=reseller, email="ann@cobalt.example", name="Ann")
    call_command("person_data", "export", "Ann@cobalt.example", output=tmp_path / "ann.zip")
    assert zipfile.ZipFile(tmp_path / "ann.zip").read("known_as_contact.json")
    call_command("person_data", "erase", "ann@cobalt.example", dry_run=True)
    assert Contact.objects.filter(pk=contact.pk).exists()
    call_command("person_data", "erase", "ann@cobalt.example")
    assert not Contact.objects.filter(pk=contact.pk).exists()
    with pytest.raises(CommandError):
        call_command("person_data", "erase", "ann@cobalt.example")


# --- the vendor's answer to a request -----------------------------------------------------------------------------
def test_vendor_owner_exports_and_erases_on_request(client, vendor, distributor, reseller):
    ContactFactory(owner=distributor, organization=reseller, email="ann@cobalt.example", name="Ann")
    client.force_login(member(vendor, Role.OWNER))
    url = reverse("data_requests")
    data = {"email": "ann@cobalt.example"}
    assert client.post(url, {**data, "action": "export"})["Content-Type"] == "application/zip"
    assert "ann@cobalt.example" in client.post(url, {**data, "action": "erase"}).text
    assert Contact.objects.filter(name="Ann").exists()  # asked first
    client.post(url, {**data, "action": "erase-confirmed"})
    assert not Contact.objects.filter(name="Ann").exists()
    assert client.post(url, {**data, "action": "export"}).context["form"].errors["email"]


@pytest.mark.parametrize("who", ["vendor_editor", "distributor_owner", "reseller_member"])
def test_data_requests_are_for_the_vendors_owners(who, client, request):
    client.force_login(request.getfixturevalue(who))
    assert client.get(reverse("data_requests")).status_code == 403
    assert client.post(reverse("data_requests"), {"email": "x@y.example", "action": "export"}).status_code == 403


# --- people of an organization ------------------------------------------------------------------------------------
def test_people_page_costs_the_same_with_thirty_members(
    client, distributor, distributor_owner, django_assert_num_queries
):
    client.force_login(distributor_owner)
    client.get(reverse("people"))
    with django_assert_num_queries(6):
        client.get(reverse("people"))
    for _ in range(30):
        MembershipFactory(organization=distributor)
    with django_assert_num_queries(6):
        client.get(reverse("people"))


def test_people_page_shows_members_read_only_to_members(client, distributor_owner, distributor_member):
    client.force_login(distributor_member)
    text = client.get(reverse("people")).text
    assert "owner@acme.example" in text
    assert reverse("invite") not in text
    assert client.get(reverse("invite")).status_code == 403
    assert client.post(reverse("invite"), {"email": "x@y.example", "role": "owner"}).status_code == 403


def test_the_last_owner_cannot_step_back_leave_or_be_removed(client, distributor_owner, distributor_member):
    membership = distributor_owner.memberships.get()
    client.force_login(distributor_owner)
    for url, data in (
        (reverse("member_role", args=[membership.pk]), {"role": "member"}),
        (reverse("member_remove", args=[membership.pk]), {}),
    ):
        page = client.post(url, data, follow=True)
        assert "needs an owner" in page.text
    membership.refresh_from_db()
    assert membership.role == Role.OWNER


def test_an_inactive_owner_does_not_count_as_the_other_owner(distributor, distributor_owner, client):
    sleeper = member(distributor, Role.OWNER)
    User.objects.filter(pk=sleeper.pk).update(is_active=False)
    client.force_login(distributor_owner)
    client.post(reverse("member_remove", args=[distributor_owner.memberships.get().pk]))
    assert distributor_owner.memberships.count() == 1


def test_owner_changes_roles_and_removes(client, distributor, distributor_owner, distributor_member):
    membership = distributor_member.memberships.get()
    client.force_login(distributor_owner)
    client.post(reverse("member_role", args=[membership.pk]), {"role": "owner"})
    membership.refresh_from_db()
    assert membership.role == Role.OWNER
    assert client.get(reverse("member_remove", args=[membership.pk])).status_code == 200
    client.post(reverse("member_remove", args=[membership.pk]))
    assert not distributor_member.memberships.exists()
    log = client.get(reverse("audit_log")).text
    assert "Removed a member" in log
    assert "Changed a member" in log


def test_a_member_may_leave(client, distributor_owner, distributor_member):
    client.force_login(distributor_member)
    response = client.post(reverse("member_remove", args=[distributor_member.memberships.get().pk]))
    assert response.url == reverse("profile")
    assert not distributor_member.memberships.exists()


@pytest.mark.parametrize("who", ["distributor_manager", "stranger", "vendor_editor"])
@pytest.mark.parametrize("name", ["member_role", "member_remove"])
def test_others_change_no_member(who, name, client, request, distributor_member):
    membership = distributor_member.memberships.get()
    client.force_login(request.getfixturevalue(who))
    response = client.post(reverse(name, args=[membership.pk]), {"role": "owner"})
    assert response.status_code == (403 if who == "distributor_manager" else 404)
    membership.refresh_from_db()
    assert membership.role == Role.MEMBER


def test_switching_works_for_ones_own_organizations_only(client, distributor_manager, reseller, other_distributor):
    MembershipFactory(user=distributor_manager, organization=reseller)
    client.force_login(distributor_manager)
    client.post(reverse("switch", args=[reseller.pk]))
    assert client.get(reverse("profile")).wsgi_request.viewer.organization == reseller
    assert client.post(reverse("switch", args=[other_distributor.pk])).status_code == 403


def test_a_resellers_person_chooses_among_its_distributors(client, reseller, reseller_member, other_distributor):
    client.force_login(reseller_member)
    assert not client.get(reverse("profile")).context["choices"]
    NetworkLinkFactory(upstream=other_distributor, downstream=reseller)
    choices = client.get(reverse("profile")).context["choices"]
    assert {choice.slug for choice in choices} == {"acme", "borealis"}
    client.post(reverse("switch", args=[other_distributor.pk]))
    assert client.get(reverse("profile")).wsgi_request.viewer.distributor == other_distributor


def test_organization_profile_saves_what_a_manager_may_change(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    data = {
        "name": "Acme Distribution",
        "country": "AT",
        "language": "de",
        "timezone": "Europe/Vienna",
        "website": "acme.example",
        "imprint": "Acme\nWien",
        "privacy": "<script>x</script>",
    }
    response = client.post(reverse("organization"), data)
    assert response.status_code == 302
    distributor.refresh_from_db()
    assert (distributor.country, distributor.website) == ("AT", "https://acme.example")
    assert "<script>x" not in client.get(reverse("privacy")).text


def test_organization_profile_is_closed_to_members(client, distributor_member):
    client.force_login(distributor_member)
    assert client.get(reverse("organization")).status_code == 403
