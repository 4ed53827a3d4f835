"""Puts the demo's world together, through the same verbs that people press."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from django.utils.translation import override
from wagtail.models import Locale

from accounts.enums import ConsentBasis, Function, ImportState, LinkStatus, OrganizationKind, Role
from accounts.groups import ensure_groups
from accounts.imports import steps
from accounts.models import Contact, NetworkImport, NetworkLink, Organization, User
from cascade import completion, hops, releases, waves
from cascade.audience import Audience
from cascade.enums import DeliveryState, Goal, WaveState
from cascade.models import AnnouncementPage, Cascade, Delivery, Hop, Wave
from cms import adaptation
from cms.zones import zones_of
from config.seed import PASSWORD, RESELLER_EMAIL, cast, content

FILES = Path(__file__).with_name("files")
SHARE_DONE = 0.28  # of those who got the first item
Say = Callable[[str], None]


def create(say: Say, *, patience: float) -> None:
    """The whole world, a line per step. Networks that the first cascade does not need come while it is on its way."""
    with override("en"):
        ensure_groups()
        vendor, mira = cast.create_vendor(PASSWORD)
        distributors = {
            known.slug: cast.create_distributor(
                known, vendor, PASSWORD if known.slug in ("nordlicht", "vexis") else None
            )
            for known in cast.DISTRIBUTORS
        }
        say(f"{vendor} and {len(distributors)} distributors with their brands")
        folder = content.create_trees(mira)
        pages = content.create_announcements(folder, mira)
        say("Two content trees and four announcements")
        first, *others = cast.DISTRIBUTORS
        import_network(distributors[first.slug], say)
        create_reseller_person(distributors[first.slug])

        edge = release(pages["edge"], mira, days=(5, 19), reason="Quotes written with Edge 3 will be wrong from March.")
        wave = pass_on(
            edge,
            distributors["nordlicht"],
            "Edge 4 is in stock in Hamburg. Call us before you quote: "
            "for larger roll-outs there is more room than the price list shows.",
        )
        say("First cascade on its way: released, accepted, adapted, sent")
        for known in others:
            import_network(distributors[known.slug], say)
        release(pages["program"], mira, days=(9, 40), reason="Deals registered before 31 December keep the old rate.")
        release(
            pages["advisory"],
            mira,
            days=(2, 6),
            mandatory=True,
            goal=Goal.READ,
            reason="Scored 9.1; attackers are already trying it.",
        )
        hops.decline(
            hop_of(edge, distributors["pacifica"]),
            "Edge 4 is not certified in Japan yet.",
            by=manager_of(distributors["pacifica"]),
        )
        if wait_until_sent(wave, patience):
            acknowledge(wave, pages["edge"])
            pass_on(edge, distributors["vexis"], "We deliver Edge 4 from Rotterdam within a day.")
        hops.accept(hop_of(edge, distributors["brackenridge"]), by=manager_of(distributors["brackenridge"]))
        say("Three cascades in different states")


# --- networks ----------------------------------------------------------------------------------------------------
def import_network(distributor: Organization, say: Say) -> None:
    """Bring in the distributor's file as its manager would: upload, check, confirm."""
    path = next(FILES.glob(f"{distributor.slug}.*"))
    by = manager_of(distributor)
    with path.open("rb") as file:
        network_import = steps.upload(distributor, file, path.name, by=by)
    steps.map_columns(
        network_import,
        network_import.columns,
        basis=ConsentBasis.CUSTOMER,
        basis_source="Customer file of the demo",
        default_country=network_import.default_country,
        by=by,
    )
    work_until(network_import, ImportState.CHECKED)
    steps.confirm(network_import, by=by)
    work_until(network_import, ImportState.DONE)
    resellers = NetworkLink.objects.filter(upstream=distributor, status=LinkStatus.ACTIVE).count()
    people = Contact.objects.filter(owner=distributor).count()
    say(f"{path.name}: {people} people at {resellers} resellers of {distributor}")


def work_until(network_import: NetworkImport, state: ImportState) -> None:
    """Work on the import, or wait for the worker that was quicker, until it is in ``state``."""
    until = time.monotonic() + 120
    while network_import.state != state:
        steps.work(network_import.pk)
        network_import.refresh_from_db()
        if network_import.state == ImportState.FAILED or time.monotonic() > until:
            raise RuntimeError(f"{network_import.filename}: {network_import.error or network_import.state}")
        time.sleep(0.05)


def create_reseller_person(distributor: Organization) -> User:
    """A reseller with somebody who signs in, in two networks from the start."""
    reseller = Organization.objects.create(
        kind=OrganizationKind.RESELLER, name="Hansen & Keller IT", slug="hansen-keller", country="DE",
        timezone="Europe/Berlin",
    )  # fmt: skip
    for upstream, preferred in ((distributor, True), (Organization.objects.get(slug="vexis"), False)):
        NetworkLink.objects.create(
            upstream=upstream, downstream=reseller, city="Kiel", segment="SMB", is_preferred=preferred
        )
    robin = cast.person(reseller, "Robin Hansen", RESELLER_EMAIL, Role.OWNER, "Europe/Berlin", PASSWORD)
    address = robin.person.addresses.get()
    for upstream in Organization.objects.filter(slug__in=[distributor.slug, "vexis"]):
        Contact.objects.create(
            owner=upstream, organization=reseller, address=address, name="Robin Hansen", function=Function.OWNER,
            language="en",
        )  # fmt: skip
        address.consents.create(sender=upstream, basis=ConsentBasis.CUSTOMER, source="Customer file of the demo")
    return robin


# --- cascades ----------------------------------------------------------------------------------------------------
def release(
    page: AnnouncementPage, by: User, *, days: tuple[int, int], reason: str, mandatory: bool = False, goal: str = ""
) -> Cascade:
    """Release ``page`` to every distributor; ``days`` until it must be passed on and until resellers are due."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    cascade = releases.draft(
        page,
        by=by,
        pass_on_by=now + timedelta(days=days[0]),
        due_at=now + timedelta(days=days[1]),
        reason=reason,
        goal=goal,
        is_mandatory=mandatory,
    )
    return releases.release(cascade, releases.active_distributors(), by=by)


def pass_on(cascade: Cascade, distributor: Organization, words: str) -> Wave:
    """Accept, write ``words`` into the first open text, and send to everybody."""
    hop, by = hop_of(cascade, distributor), manager_of(distributor)
    hops.accept(hop, by=by)
    page = releases.source_page(cascade)
    zone = next(zone for zone in zones_of(page) if zone.kind == "rich_text" and zone.editable == "open")
    adaptation.save_edit(page, distributor, Locale.get_default(), zone.key, f"<p>{words}</p>", by=by)
    hops.note_adapted(hop, by=by)
    return waves.send_now(hop, Audience(), by)


def wait_until_sent(wave: Wave, patience: float) -> bool:
    """Whether a worker sent the wave within ``patience`` seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        wave.refresh_from_db(fields=["state"])
        if wave.state == WaveState.DONE:
            return True
        time.sleep(0.5)
    return False


def acknowledge(wave: Wave, page: AnnouncementPage) -> None:
    """Let some recipients have done what they were asked to, always the same ones."""
    chance = random.Random(4)
    for delivery in (
        Delivery.objects.filter(wave=wave, state=DeliveryState.SENT).select_related("person").order_by("pk")
    ):
        if delivery.email != RESELLER_EMAIL and chance.random() < SHARE_DONE:
            completion.complete(delivery.person, page, Goal.ACKNOWLEDGED, evidence={"channel": "demo"})


def hop_of(cascade: Cascade, distributor: Organization) -> Hop:
    """The distributor's step."""
    return Hop.objects.get(cascade=cascade, organization=distributor)


def manager_of(distributor: Organization) -> User:
    """Its marketer."""
    return User.objects.get(memberships__organization=distributor, memberships__role=Role.MANAGER)
