"""Invitations: the only way into the portal.

The link in the mail is the secret: 256 random bits, kept as a hash, good for 14 days and for one use. Who follows it
has shown that the mailbox is theirs. What an inviter is told never depends on whether the address has an account.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, consent, mail, people
from accounts.addresses import company_domain, normalize_address
from accounts.enums import ConsentBasis, LinkStatus, OrganizationKind, Role
from accounts.models import Address, Contact, Invitation, Membership, NetworkLink, Organization, User
from accounts.policies import NotAllowed, require
from accounts.rules import upstream_that_may_invite
from accounts.signals import member_joined

VALID_FOR = timedelta(days=14)
RESEND_AFTER = timedelta(minutes=1)


class InvalidInvitation(Exception):
    """The invitation was used, revoked, or has expired."""


class AlreadyMember(NotAllowed):
    """The address belongs to a member of this organization."""


class TooSoon(NotAllowed):
    """The same mail left less than a minute ago."""


class WrongPerson(NotAllowed):
    """Somebody else than the invited person is signed in."""


@transaction.atomic
def invite(organization: Organization, email: str, *, by: User, role: str = Role.MEMBER, name: str = "") -> Invitation:
    """Send ``email`` an invitation to join ``organization``; inviting again sends a new link and ends the old one.

    Owners give any role. Others who may invite (see rules.py) give none: who joins first becomes the owner.

    Raises: ValidationError for an unusable address, NotAllowed if ``by`` may not invite here or not this address,
    AlreadyMember (to owners only), TooSoon.
    """
    require(by, "invite", organization)
    email = normalize_address(email)
    upstream = None
    if organization.memberships.filter(user=by, role=Role.OWNER).exists():
        if organization.memberships.filter(user__email=email).exists():
            raise AlreadyMember(_("They are already a member."))
    else:
        upstream, role = _upstream(by, organization), Role.MEMBER
        if organization.kind == OrganizationKind.RESELLER:
            _require_known_contact(upstream, organization, email)
    scope = Invitation.objects.filter(
        organization=organization, invited_by_organization=upstream, accepted_at=None, revoked_at=None
    )
    invitation = scope.select_for_update().filter(email=email).first()
    if invitation is None:
        invitation = Invitation(organization=organization, invited_by_organization=upstream, email=email)
    else:
        _not_too_soon(invitation)
    invitation.role, invitation.name, invitation.invited_by = Role(role), name[:200], by
    _send(invitation)
    audit.record("invitation.sent", by=by, owner=upstream or organization, obj=invitation, role=str(role))
    return invitation


@transaction.atomic
def resend(invitation: Invitation, *, by: User) -> None:
    """Send a new link, good for another 14 days; the old one ends. Raises NotAllowed, TooSoon, InvalidInvitation."""
    require_control(invitation, by)
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at or invitation.revoked_at:
        raise InvalidInvitation
    _not_too_soon(invitation)
    _send(invitation)
    audit.record("invitation.resent", by=by, owner=_log_of(invitation), obj=invitation)


@transaction.atomic
def revoke(invitation: Invitation, *, by: User) -> None:
    """End an invitation; revoking twice changes nothing. Raises NotAllowed; InvalidInvitation once accepted."""
    require_control(invitation, by)
    if Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record("invitation.revoked", by=by, owner=_log_of(invitation), obj=invitation)
    elif Invitation.objects.filter(pk=invitation.pk, accepted_at__isnull=False).exists():
        raise InvalidInvitation


def find(token: str) -> Invitation | None:
    """The invitation of a link, whatever its state; None for a made-up one."""
    return (
        Invitation.objects.select_related(
            "organization", "organization__brand", "invited_by", "invited_by_organization"
        )
        .filter(token_hash=_hash(token))
        .first()
    )


def is_open(invitation: Invitation) -> bool:
    """Whether it can still be accepted."""
    return not invitation.accepted_at and not invitation.revoked_at and invitation.expires_at > timezone.now()


def invited_user(invitation: Invitation) -> User | None:
    """The account of the invited person, whatever address they sign in with; None when they have none yet."""
    address = Address.objects.filter(email=invitation.email).select_related("person").first()
    return User.objects.filter(person=address.person).first() if address else None


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Membership:
    """``user``, who is the invited person, joins; nobody can use the link again.

    A member stays in the role they have. Raises WrongPerson, InvalidInvitation.
    """
    if invited_user(invitation) != user:
        raise WrongPerson(_("This invitation is for somebody else."))
    return _join(invitation, user)


@transaction.atomic
def accept_as_new(invitation: Invitation, *, name: str, password: str, language: str = "") -> User:
    """Create the account of the invited person and let them join.

    Raises InvalidInvitation; WrongPerson when the address has an account, which must sign in instead.
    """
    if invited_user(invitation) is not None:
        raise WrongPerson(_("There is an account for this address. Sign in to accept."))
    user = people.create_account(invitation.email, password, name=name, language=language)
    _join(invitation, user)
    return user


def require_control(invitation: Invitation, by: User) -> None:
    """Raise NotAllowed unless ``by`` may resend or revoke: the organization's owners, or those who invited for it."""
    upstream = invitation.invited_by_organization
    if upstream is None or not by.manages(upstream):
        require(by, "manage_people", invitation.organization)


def _join(invitation: Invitation, user: User) -> Membership:
    now = timezone.now()
    is_first_use = Invitation.objects.filter(
        pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now
    ).update(accepted_at=now, accepted_by=user)
    if not is_first_use:
        raise InvalidInvitation
    organization = invitation.organization
    role = Role(invitation.role)
    if invitation.invited_by_organization_id:
        has_owner = organization.memberships.filter(role=Role.OWNER, user__is_active=True).exists()
        role = Role.MEMBER if has_owner else Role.OWNER
    membership, is_new = Membership.objects.get_or_create(user=user, organization=organization, defaults={"role": role})
    address = people.take_address(user, invitation.email)
    for link in NetworkLink.objects.filter(downstream=organization, status=LinkStatus.ACTIVE).select_related(
        "upstream"
    ):
        consent.record(address, link.upstream, ConsentBasis.MEMBERSHIP, source=f"invitation {invitation.pk}")
    audit.record("invitation.accepted", by=user, owner=organization, obj=invitation, role=str(membership.role))
    if is_new:
        member_joined.send(sender=Membership, membership=membership)
    return membership


def _send(invitation: Invitation) -> None:
    """Give the invitation a new secret and mail it; the mail is the only place where the secret is readable."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    invitation.token_hash, invitation.sent_at, invitation.expires_at = _hash(token), now, now + VALID_FOR
    invitation.save()
    organization = invitation.organization
    sender = invitation.invited_by_organization or organization
    mail.send(
        "invitation",
        invitation.email,
        {
            "organization": sender,
            "invited_to": organization,
            "inviter": invitation.invited_by,
            "name": invitation.name,
            "button_url": mail.absolute_url("invitation", token),
            "expires_at": invitation.expires_at,
            "days": VALID_FOR.days,
        },
        language=_language(invitation),
    )


def _language(invitation: Invitation) -> str:
    """The person's own language, else the organization's."""
    chosen = Address.objects.filter(email=invitation.email).values_list("person__language", flat=True).first()
    return chosen or invitation.organization.language


def _upstream(by: User, organization: Organization) -> Organization | None:
    if organization.kind == OrganizationKind.RESELLER:
        return upstream_that_may_invite(by, organization)
    return Organization.objects.filter(kind=OrganizationKind.VENDOR).first()


def _require_known_contact(upstream: Organization | None, reseller: Organization, email: str) -> None:
    """A distributor invites only its own contacts at the reseller, at the reseller's own mail domain where it has one.

    Else it could plant somebody there and read what other distributors send.
    """
    contacts = Contact.objects.filter(owner=upstream, organization=reseller, address__email=email, is_active=True)
    if not contacts.exists():
        raise NotAllowed(_("Add them as a contact of this reseller first."))
    if reseller.match_domain and company_domain(email) != reseller.match_domain:
        raise NotAllowed(_("Invite people at the reseller's own e-mail domain; they can invite others."))


def _log_of(invitation: Invitation) -> Organization:
    return invitation.invited_by_organization or invitation.organization


def _not_too_soon(invitation: Invitation) -> None:
    if timezone.now() - invitation.sent_at < RESEND_AFTER:
        raise TooSoon(_("The invitation was sent a moment ago. Wait a minute before you send it again."))


def _hash(token: str) -> str:
    """Enough without a key or salt: the token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
