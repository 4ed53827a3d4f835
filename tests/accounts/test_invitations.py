"""Invitations: the only way in."""

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.enums import Role
from accounts.models import AuditEvent, Consent, Invitation, Membership, Organization, User
from accounts.policies import NotAllowed
from tests.factories.accounts import (
    PASSWORD,
    ContactFactory,
    MembershipFactory,
    NetworkLinkFactory,
    OrganizationFactory,
    UserFactory,
    member,
)

NEW = {"name": "Nora Neu", "password": "a long new passphrase"}


def link(mail):
    """The address of the invitation in a mail, as a path."""
    return re.search(r"http://[^/\s]+(/invitation/\S+/)", mail.body)[1]


def make(organization, by, email="nora@acme.example", **kwargs):
    return invitations.invite(organization, email, by=by, **kwargs)


def age(invitation, **delta):
    Invitation.objects.filter(pk=invitation.pk).update(
        sent_at=timezone.now() - timedelta(**delta), expires_at=timezone.now() + timedelta(days=14) - timedelta(**delta)
    )


# --- inviting -----------------------------------------------------------------------------------------------------
def test_invite_mails_a_link_and_keeps_only_its_hash(distributor, distributor_owner, mailoutbox):
    invitation = make(distributor, distributor_owner, "Nora@ACME.example", role=Role.MANAGER, name="Nora")

    [message] = mailoutbox
    token = link(message).split("/")[2]
    assert message.to == ["nora@acme.example"]
    assert message.subject == "Your invitation to Acme Distribution"
    assert invitations.find(token) == invitation
    assert token not in invitation.token_hash
    html = message.alternatives[0].content
    assert token in html
    assert "Olga Owner" in html
    assert AuditEvent.objects.get().name == "invitation.sent"


def test_invite_speaks_the_language_of_the_organization(distributor, distributor_owner, mailoutbox):
    Organization.objects.filter(pk=distributor.pk).update(language="de")
    distributor.refresh_from_db()
    make(distributor, distributor_owner)
    assert 'lang="de"' in mailoutbox[0].alternatives[0].content


@pytest.mark.parametrize(
    "who", ["distributor_manager", "distributor_member", "stranger", "reseller_member", "vendor_editor"]
)
def test_invite_by_others_than_owners_is_refused(who, distributor, distributor_owner, request, mailoutbox):
    with pytest.raises(NotAllowed):
        make(distributor, request.getfixturevalue(who))
    assert not mailoutbox
    assert not Invitation.objects.exists()


def test_invite_a_name_with_html_stays_text(distributor, mailoutbox):
    owner = member(distributor, Role.OWNER, name="<script>alert(1)</script>")
    make(distributor, owner)
    assert "<script>" not in mailoutbox[0].alternatives[0].content


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c.example", "x@y.example\nBcc: z@y.example"])
def test_invite_an_unusable_address_is_refused(email, distributor, distributor_owner, mailoutbox):
    with pytest.raises(ValidationError):
        make(distributor, distributor_owner, email)
    assert not mailoutbox


def test_invite_a_member_is_refused(distributor, distributor_owner, distributor_member):
    with pytest.raises(invitations.AlreadyMember):
        make(distributor, distributor_owner, distributor_member.email)


def test_invite_says_the_same_whether_or_not_the_address_has_an_account(distributor, distributor_owner, mailoutbox):
    UserFactory(email="known@elsewhere.example")
    first = make(distributor, distributor_owner, "known@elsewhere.example")
    second = make(distributor, distributor_owner, "unknown@elsewhere.example")
    assert (first.role, first.name) == (second.role, second.name)
    assert mailoutbox[0].subject == mailoutbox[1].subject


def test_invite_again_replaces_the_link(distributor, distributor_owner, mailoutbox):
    first = make(distributor, distributor_owner)
    with pytest.raises(invitations.TooSoon):
        make(distributor, distributor_owner)
    age(first, minutes=2)
    second = make(distributor, distributor_owner, role=Role.MANAGER)

    assert second == first
    assert invitations.find(link(mailoutbox[0]).split("/")[2]) is None
    assert invitations.find(link(mailoutbox[1]).split("/")[2]).role == Role.MANAGER


# --- upstreams ----------------------------------------------------------------------------------------------------
def test_distributor_invites_its_contact_who_becomes_the_first_owner(
    distributor, reseller, distributor_manager, client, mailoutbox
):
    ContactFactory(owner=distributor, organization=reseller, email="chris@cobalt.example")
    make(reseller, distributor_manager, "chris@cobalt.example")
    client.post(link(mailoutbox[0]), NEW)
    assert Membership.objects.get(user__email="chris@cobalt.example").role == Role.OWNER
    assert "Acme Distribution" in mailoutbox[0].body


def test_distributor_cannot_plant_somebody_at_a_reseller(distributor, reseller, distributor_manager):
    with pytest.raises(NotAllowed, match="contact"):
        make(reseller, distributor_manager, "spy@cobalt.example")
    Organization.objects.filter(pk=reseller.pk).update(match_domain="cobalt.example")
    reseller.refresh_from_db()
    ContactFactory(owner=distributor, organization=reseller, email="spy@acme.example")
    with pytest.raises(NotAllowed, match="domain"):
        make(reseller, distributor_manager, "spy@acme.example")


def test_two_distributors_invite_the_same_person_without_learning_of_each_other(
    distributor, other_distributor, reseller, distributor_manager, stranger, client, mailoutbox
):
    NetworkLinkFactory(upstream=other_distributor, downstream=reseller)
    for owner, by in ((distributor, distributor_manager), (other_distributor, stranger)):
        ContactFactory(owner=owner, organization=reseller, email="chris@cobalt.example")
        make(reseller, by, "chris@cobalt.example")

    assert [("Borealis" in mail.body, "Acme" in mail.body) for mail in mailoutbox] == [(False, True), (True, False)]
    client.post(link(mailoutbox[0]), NEW)
    response = client.post(link(mailoutbox[1]))
    assert response.status_code == 302
    assert Membership.objects.filter(organization=reseller).count() == 1


def test_a_later_invitation_by_an_upstream_gives_no_power(
    distributor, reseller, distributor_manager, mailoutbox, client
):
    member(reseller, Role.OWNER)
    ContactFactory(owner=distributor, organization=reseller, email="chris@cobalt.example")
    make(reseller, distributor_manager, "chris@cobalt.example")
    client.post(link(mailoutbox[0]), NEW)
    assert Membership.objects.get(user__email="chris@cobalt.example").role == Role.MEMBER


def test_vendor_invites_to_a_distributor_only_while_nobody_owns_it(vendor, vendor_editor, distributor, mailoutbox):
    make(distributor, vendor_editor, "first@acme.example")
    member(distributor, Role.OWNER)
    with pytest.raises(NotAllowed):
        make(distributor, vendor_editor, "second@acme.example")


def test_one_open_invitation_per_address_in_the_database(distributor):
    row = {"organization": distributor, "email": "a@b.example", "expires_at": timezone.now()}
    Invitation.objects.create(token_hash="1", **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(token_hash="2", **row)


# --- accepting ----------------------------------------------------------------------------------------------------
def test_accept_as_new_creates_the_account_signs_in_and_notes_the_basis(
    distributor, distributor_owner, client, mailoutbox, vendor
):
    make(distributor, distributor_owner, role=Role.MANAGER)
    page = client.get(link(mailoutbox[0]))
    assert "nora@acme.example" in page.text
    assert User.objects.filter(email="nora@acme.example").count() == 0  # a GET changes nothing

    response = client.post(link(mailoutbox[0]), NEW)

    user = User.objects.get(email="nora@acme.example")
    assert response.url == reverse("home")
    assert int(client.session["_auth_user_id"]) == user.pk
    assert user.memberships.get().role == Role.MANAGER
    assert user.emailaddress_set.get().verified
    assert user.person.addresses.get().email == "nora@acme.example"
    assert Consent.objects.get(address__email=user.email).sender == vendor


def test_accept_works_once(distributor, distributor_owner, client, mailoutbox):
    make(distributor, distributor_owner)
    client.post(link(mailoutbox[0]), NEW)
    client.logout()
    response = client.post(link(mailoutbox[0]), NEW)
    assert response.status_code == 410
    assert User.objects.filter(email="nora@acme.example").count() == 1


@pytest.mark.parametrize("change", [{"expires_at": timezone.now() - timedelta(1)}, {"revoked_at": timezone.now()}])
def test_a_dead_link_looks_like_a_made_up_one(change, distributor, distributor_owner, client, mailoutbox):
    invitation = make(distributor, distributor_owner)
    Invitation.objects.filter(pk=invitation.pk).update(**change)
    dead, made_up = client.get(link(mailoutbox[0])), client.get(reverse("invitation", args=["x" * 43]))
    assert (dead.status_code, made_up.status_code) == (410, 410)
    assert "Acme" not in dead.text
    assert dead.text.partition("<main")[2] == made_up.text.partition("<main")[2]


def test_accept_with_a_weak_password_is_refused_at_the_field(distributor, distributor_owner, client, mailoutbox):
    make(distributor, distributor_owner)
    response = client.post(link(mailoutbox[0]), {"name": "Nora", "password": "nora"})
    assert response.context["form"].errors["password"]
    assert not User.objects.filter(email="nora@acme.example").exists()


def test_an_existing_user_signs_in_and_confirms(distributor, distributor_owner, reseller_member, client, mailoutbox):
    make(distributor, distributor_owner, reseller_member.email)
    path = link(mailoutbox[0])
    assert f"{reverse('account_login')}?next={path}" in client.get(path).text
    assert client.post(path, NEW).status_code == 200  # cannot be taken over with a new password
    reseller_member.refresh_from_db()
    assert reseller_member.check_password(PASSWORD)

    client.force_login(reseller_member)
    assert Membership.objects.filter(user=reseller_member).count() == 1
    client.post(path)
    assert set(reseller_member.memberships.values_list("organization__slug", flat=True)) == {"acme", "cobalt"}


def test_somebody_else_is_told_clearly_and_cannot_accept(distributor, distributor_owner, stranger, client, mailoutbox):
    make(distributor, distributor_owner)
    client.force_login(stranger)
    for response in (client.get(link(mailoutbox[0])), client.post(link(mailoutbox[0]))):
        assert "you are signed in as" in response.text
    assert not distributor.memberships.filter(user=stranger).exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_person_with_another_account_address_accepts_with_that_account(
    distributor, distributor_owner, reseller_member, mailoutbox, client
):
    from accounts import people

    people.take_address(reseller_member, "rita@acme.example")
    make(distributor, distributor_owner, "rita@acme.example")
    client.force_login(reseller_member)
    client.post(link(mailoutbox[0]))
    assert reseller_member.memberships.filter(organization=distributor).exists()


# --- resending and taking back ------------------------------------------------------------------------------------
def test_resend_gives_a_new_link_and_new_time(distributor, distributor_owner, mailoutbox):
    invitation = make(distributor, distributor_owner)
    age(invitation, days=20)
    invitations.resend(invitation, by=distributor_owner)
    invitation.refresh_from_db()
    assert invitations.is_open(invitation)
    assert link(mailoutbox[0]) != link(mailoutbox[1])


def test_revoke_twice_is_once(distributor, distributor_owner):
    invitation = make(distributor, distributor_owner)
    invitations.revoke(invitation, by=distributor_owner)
    invitations.revoke(invitation, by=distributor_owner)
    assert AuditEvent.objects.filter(name="invitation.revoked").count() == 1


def test_revoke_after_acceptance_is_refused(distributor, distributor_owner, mailoutbox, client):
    invitation = make(distributor, distributor_owner)
    client.post(link(mailoutbox[0]), NEW)
    with pytest.raises(invitations.InvalidInvitation):
        invitations.revoke(invitation, by=distributor_owner)
    with pytest.raises(invitations.InvalidInvitation):
        invitations.resend(invitation, by=distributor_owner)


@pytest.mark.parametrize("who", ["distributor_manager", "stranger", "vendor_editor"])
@pytest.mark.parametrize("verb", [invitations.resend, invitations.revoke])
def test_resend_and_revoke_by_others_are_refused(verb, who, distributor, distributor_owner, request):
    invitation = make(distributor, distributor_owner)
    age(invitation, minutes=5)
    with pytest.raises(NotAllowed):
        verb(invitation, by=request.getfixturevalue(who))


def test_accepting_twice_at_once_joins_once(distributor, distributor_owner):
    invitation = make(distributor, distributor_owner)
    stale = Invitation.objects.select_related("organization").get(pk=invitation.pk)
    user = invitations.accept_as_new(invitation, **NEW)
    with pytest.raises(invitations.InvalidInvitation):
        invitations.accept(stale, user)
    assert MembershipFactory._meta.model.objects.filter(user=user).count() == 1


def test_no_vendor_needed_for_the_first_mail(db, mailoutbox):
    alone = OrganizationFactory()
    make(alone, member(alone, Role.OWNER))
    assert len(mailoutbox) == 1
