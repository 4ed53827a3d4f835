"""What tests of the engine share: an accepted hop with people to mail, and a relay to mail them through."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from accounts.models import Contact, Organization
from cascade import engine
from cascade.audience import Audience
from cascade.enums import DeliveryState, WaveKind, WaveState
from cascade.models import Delivery, Hop, Wave
from cascade.transport import SMTPTransport
from tests.cascade.smtp_server import FaultySMTPServer
from tests.factories.accounts import BrandFactory, ContactFactory, NetworkLinkFactory, OrganizationFactory
from tests.factories.cascade import CascadeFactory, HopFactory

BASE_URL = "https://portal.example"


def people(owner: Organization, count: int, *, resellers: int = 1, **contact) -> list[Contact]:
    """Contacts of ``owner`` who may be mailed, at so many resellers."""
    places = [OrganizationFactory(reseller=True) for _ in range(resellers)]
    return [ContactFactory(owner=owner, organization=places[n % resellers], **contact) for n in range(count)]


def make_hop(cascade=None, *, organization=None, count: int = 0, resellers: int = 1) -> Hop:
    """An accepted hop of a distributor with a brand and ``count`` contacts."""
    organization = organization or OrganizationFactory()
    BrandFactory(organization=organization)
    hop = HopFactory(cascade=cascade or CascadeFactory(), organization=organization, accepted=True)
    people(organization, count, resellers=resellers)
    return hop


def make_wave(hop: Hop, *, kind=WaveKind.INITIAL, audience: Audience | None = None, due: bool = True, **fields) -> Wave:
    """A scheduled wave, due since a minute unless ``due=False``."""
    at = timezone.now() + timedelta(minutes=-1 if due else 60)
    return Wave.objects.create(
        hop=hop,
        kind=kind,
        state=WaveState.SCHEDULED,
        audience=(audience or Audience()).to_json(),
        scheduled_at=at,
        base_url=BASE_URL,
        **fields,
    )


def share(contact: Contact, other: Organization) -> Contact:
    """Let another distributor know the same person at the same reseller."""
    NetworkLinkFactory(upstream=other, downstream=contact.organization)
    return ContactFactory(owner=other, organization=contact.organization, address=contact.address, name=contact.name)


def states(wave: Wave) -> dict[str, int]:
    return dict(Counter(Delivery.objects.filter(wave=wave).values_list("state", flat=True)))


def relay(server: FaultySMTPServer, **options) -> SMTPTransport:
    return SMTPTransport("127.0.0.1", server.port, **options)


def send_all(server: FaultySMTPServer) -> int:
    """Freeze, send and finish everything that is due."""
    return engine.work_off(transport=relay(server))


def assert_sums(wave: Wave) -> None:
    """Everybody named is in exactly one state, and the total never changed since the freeze."""
    wave.refresh_from_db()
    assert sum(states(wave).values()) == wave.frozen_count


def retry_now() -> None:
    """Let the time pass until every retry is due."""
    Delivery.objects.filter(state=DeliveryState.RETRYING).update(not_before=timezone.now())
