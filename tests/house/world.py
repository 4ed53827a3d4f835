"""Two networks that mirror each other, full of words by which a leak betrays itself, and how to address their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts import invitations
from accounts.enums import Role
from accounts.imports import steps
from accounts.models import Brand, Contact, Invitation, Membership, NetworkImport, NetworkTag, Organization, User
from accounts.models.audit import AuditEvent
from cascade import tokens
from cascade.enums import DeliveryState, Tier
from cascade.models import Cascade, Delivery, Hop, Wave
from cascade.tokens import Purpose
from cms.models import Adaptation, ZoneEdit
from tests.factories.accounts import BrandFactory, ContactFactory, NetworkLinkFactory, OrganizationFactory, member
from tests.factories.cascade import (
    AnnouncementPageFactory,
    CascadeFactory,
    DeliveryFactory,
    EdgeFactory,
    HopFactory,
    WaveFactory,
)

INTERNAL = ("admin/", "account/", "content/_util/", "content/^", "_mailbox", "mailbox/", "_gallery")


@dataclass(frozen=True)
class Network:
    """One distributor with everything that is only theirs; ``mark`` is in every text of it, and nowhere else."""

    mark: str
    distributor: Organization
    reseller: Organization
    owner: User
    manager: User
    member: User
    reseller_member: User
    contact: Contact
    tag: NetworkTag
    network_import: NetworkImport
    cascade: Cascade
    hop: Hop
    wave: Wave
    delivery: Delivery
    membership: Membership
    invitation: Invitation
    token: str
    brand: Brand
    page_id: int
    path: str

    @property
    def people(self) -> list[User]:
        """Everybody who belongs to the network."""
        return [self.owner, self.manager, self.member, self.reseller_member]


def build_network(mark: str, vendor: Organization, shared: Cascade, common: Organization) -> Network:
    """A network whose texts all hold ``mark``; others have the reseller ``common`` and the cascade ``shared`` too."""
    distributor = OrganizationFactory(name=f"{mark} Distribution", slug=f"{mark}-d", imprint=f"{mark} imprint")
    brand = BrandFactory(organization=distributor, sender_name=f"{mark} Team", contact_name=f"{mark} person")
    NetworkLinkFactory(upstream=vendor, downstream=distributor)
    reseller = OrganizationFactory(reseller=True, name=f"{mark} Systems", slug=f"{mark}-r")
    for downstream in (reseller, common):
        NetworkLinkFactory(
            upstream=distributor, downstream=downstream, name_as_known=f"{mark} known", tags=[f"{mark} tag"],
            customer_number=f"{mark}-1",
        )  # fmt: skip
    ContactFactory(owner=distributor, organization=common, email="both@common.example", name=f"{mark}person Both")
    contact = ContactFactory(
        owner=distributor, organization=reseller, email=f"ann@{mark}.example", name=f"{mark}person Ann"
    )
    owner, manager, plain = (
        member(distributor, role, email=f"{role}@{mark}.example", name=f"{mark} {role}") for role in Role.values
    )
    hop = _hop(mark, shared, distributor, owner)
    wave = WaveFactory(hop=hop, done=True, frozen_count=2, stopped_because=f"{mark} stop")
    delivery = _delivery(mark, wave, reseller, contact)
    _delivery(mark, wave, common, Contact.objects.get(owner=distributor, organization=common), covered=bool(
        Delivery.objects.filter(organization=common).exists()
    ))  # fmt: skip
    own = CascadeFactory(page=AnnouncementPageFactory(title=f"{mark} item"), name=f"{mark} cascade", reason=mark)
    EdgeFactory(hop=HopFactory(cascade=own, organization=distributor, sent=True), organization=reseller)
    for organization in (reseller, common):
        EdgeFactory(hop=hop, organization=organization)
    invitation = invitations.invite(distributor, f"new@{mark}.example", by=owner, name=f"{mark} new")
    token = f"{mark}-token"
    Invitation.objects.filter(pk=invitation.pk).update(token_hash=invitations._hash(token))
    AuditEvent.objects.create(owner=distributor, actor=owner, name=f"{mark}.event")
    page = own.contents.get().page
    return Network(
        mark=mark,
        distributor=distributor,
        reseller=reseller,
        owner=owner,
        manager=manager,
        member=plain,
        reseller_member=member(reseller, email=f"rita@{mark}.example", name=f"{mark} Rita"),
        contact=contact,
        tag=NetworkTag.objects.get(owner=distributor),
        network_import=steps.upload(
            distributor, BytesIO(f"Company,E-mail\n{mark} Ltd,x@{mark}.example\n".encode()), f"{mark}.csv", by=owner
        ),
        cascade=own,
        hop=hop,
        wave=wave,
        delivery=delivery,
        membership=plain.memberships.get(),
        invitation=invitation,
        token=token,
        brand=brand,
        page_id=page.pk,
        path="/".join(page.url_path.strip("/").split("/")[1:]),
    )


def _hop(mark: str, cascade: Cascade, distributor: Organization, by: User) -> Hop:
    hop = HopFactory(cascade=cascade, organization=distributor, sent=True, decided_by=by, decline_reason=f"{mark} no")
    content = cascade.contents.get()
    adaptation = Adaptation.objects.create(
        page=content.page, organization=distributor, locale=content.locale, updated_by=by
    )
    ZoneEdit.objects.create(adaptation=adaptation, zone_key="field:subject", value=f"{mark} subject", base_hash="x")
    return hop


def _delivery(mark: str, wave: Wave, reseller: Organization, contact: Contact, *, covered: bool = False) -> Delivery:
    return DeliveryFactory(
        wave=wave,
        organization=reseller,
        contact=contact,
        email=contact.address.email,
        name=contact.name,
        company=f"{mark} known",
        state=DeliveryState.COVERED if covered else DeliveryState.SENT,
        holds_claim=not covered,
        sent_at=None if covered else timezone.now(),
        detail=f"{mark} 250 ok",
    )


def build_world() -> tuple[Network, Network]:
    """Both networks under one vendor, with one cascade and one reseller in common."""
    vendor = OrganizationFactory(vendor=True)
    BrandFactory(organization=vendor)
    common = OrganizationFactory(reseller=True, name="Common Computing", slug="common")
    shared = CascadeFactory(name="For everybody")
    assert shared.hops.get().tier == Tier.DISTRIBUTORS
    return build_network("quokka", vendor, shared, common), build_network("zebra", vendor, shared, common)


# --- addresses ----------------------------------------------------------------------------------------------------
def _token(purpose: str) -> Callable[[Network], dict[str, Any]]:
    return lambda network: {"token": tokens.make(network.delivery.pk, purpose)}


def _pk(name: str) -> Callable[[Network], dict[str, Any]]:
    return lambda network: {"pk": getattr(network, name).pk}


def _link(network: Network) -> dict[str, Any]:
    return {"pk": network.distributor.downstream_links.get(downstream=network.reseller).pk}


def _wave(network: Network) -> dict[str, Any]:
    return {"pk": network.hop.pk, "wave": network.wave.pk}


# How to address a row of a network, by the name of the address. A new name that takes arguments belongs here.
KWARGS: dict[str, Callable[[Network], dict[str, Any]]] = {
    "switch": _pk("distributor"),
    "member_role": _pk("membership"),
    "member_remove": _pk("membership"),
    "invitation_resend": _pk("invitation"),
    "invitation_revoke": _pk("invitation"),
    "invitation": lambda network: {"token": network.token},
    "network_export": lambda network: {"kind": "csv"},
    "organizations_export": lambda network: {"kind": "csv"},
    "network_tag": _pk("tag"),
    "network_reseller": _link,
    "network_reseller_edit": _link,
    "network_reseller_status": lambda network: {**_link(network), "act": "pause"},
    "network_contact_add": _link,
    "network_contact_invite": lambda network: {**_link(network), "contact": network.contact.pk},
    "network_contact": _pk("contact"),
    "network_contact_active": lambda network: {"pk": network.contact.pk, "act": "off"},
    "network_contact_delete": _pk("contact"),
    "network_contact_basis": _pk("contact"),
    "network_contact_resubscribe": _pk("contact"),
    "network_import": _pk("network_import"),
    "network_import_progress": _pk("network_import"),
    "network_import_columns": _pk("network_import"),
    "network_import_format": _pk("network_import"),
    "network_import_confirm": _pk("network_import"),
    "network_import_discard": _pk("network_import"),
    "network_import_refused": _pk("network_import"),
    "brand_css": lambda network: {"pk": network.brand.pk, "fingerprint": network.brand.fingerprint},
    "brand_logo": lambda network: {"pk": network.brand.pk, "name": "none.png"},
    "content_page": lambda network: {"path": network.path},
    "signed_file": lambda network: {"token": "made-up"},
    "content_image": lambda network: {"page_id": network.page_id, "image_id": 1, "width": 960},
    "content_document": lambda network: {"page_id": network.page_id, "document_id": 1, "filename": "a.pdf"},
    "mail_image": lambda network: {"scope": "made-up", "name": "a.png"},
    "staff_media": lambda network: {"path": f"imports/{network.mark}.csv"},
    "wagtaildocs_serve": lambda network: {"document_id": 1, "filename": "a.pdf"},
    "recipient_view": _token(Purpose.VIEW),
    "recipient_act": _token(Purpose.ACT),
    "recipient_why": _token(Purpose.WHY),
    "recipient_unsubscribe": _token(Purpose.UNSUBSCRIBE),
    "recipient_preferences": _token(Purpose.PREFERENCES),
    "reseller_item": _pk("cascade"),
    "reseller_item_read": _pk("cascade"),
    "workspace_preview": lambda network: {"pk": network.hop.pk, "view": "mail"},
    "workspace_person": lambda network: {"pk": network.hop.pk, "delivery": network.delivery.pk},
    **dict.fromkeys(
        (
            "workspace_hop", "workspace_accept", "workspace_decline", "workspace_withdraw", "workspace_adapt",
            "workspace_zone", "workspace_reset", "workspace_resolve", "workspace_audience", "workspace_pick",
            "workspace_people", "workspace_send", "workspace_test", "workspace_results", "workspace_live",
            "workspace_resellers", "workspace_persons", "workspace_unconfirmed", "workspace_remind",
            "workspace_newcomers",
        ),
        _pk("hop"),
    ),
    **dict.fromkeys(
        ("workspace_undo", "workspace_pause", "workspace_resume", "workspace_cancel", "workspace_reschedule"), _wave
    ),
}  # fmt: skip

# Open to whoever holds the address: secret links of one person, and what mails carry to anybody.
BY_SECRET = {
    "invitation", "signed_file", "mail_image", "brand_css", "brand_logo",
    *(name for name in KWARGS if name.startswith("recipient_")),
}  # fmt: skip
# Without sign-in.
PUBLIC = {*BY_SECRET, "health", "imprint", "privacy"}
# Nothing of this kind is in the world: that they refuse strangers is shown by tests of their own.
NOT_IN_WORLD = {
    "signed_file",
    "mail_image",
    "brand_logo",
    "content_image",
    "content_document",
    "staff_media",
    "wagtaildocs_serve",
}
# A query that makes a page show more; never a mark, which a search page would repeat.
QUERIES = {"search": "?q=item", "network": "?q=known", "content": "?q=item", "workspace_pick": "?q=known"}


def portal_addresses() -> dict[str, bool]:
    """Every named address of ours and whether it takes arguments; a nameless one is an error of the test."""
    return dict(_walk(get_resolver(), "", ()))


def _walk(resolver: URLResolver, prefix: str, spaces: tuple[str, ...]) -> Any:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if route.startswith(INTERNAL):
            continue
        if isinstance(entry, URLPattern):
            assert entry.name, f"The address {route} has no name."
            yield ":".join([*spaces, entry.name]), bool(entry.pattern.regex.groups)
        else:
            yield from _walk(entry, route, (*spaces, entry.namespace) if entry.namespace else spaces)


def url_of(name: str, network: Network) -> str:
    """The address ``name`` of a row of ``network``, or of the page itself when it takes no arguments."""
    kwargs = KWARGS[name](network) if name in KWARGS else {}
    return reverse(name, kwargs=kwargs) + QUERIES.get(name, "")
