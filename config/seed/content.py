"""What the demo's vendor has written: two small content trees and the items it releases."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import Any

import pyvips
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.utils.text import slugify
from PIL import Image as Picture
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Page

from accounts.models import User
from cascade.models import AnnouncementPage, CascadeIndexPage
from cms.enums import Editable, Job, Presence
from cms.models import ContentPage, ResourceFile, ResourcePage, SectionPage
from cms.trees import ensure_trees

HORIZON = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="760" viewBox="0 0 1600 760">'
    '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{a}"/>'
    '<stop offset="1" stop-color="{b}"/></linearGradient></defs><rect width="1600" height="760" fill="url(#g)"/>'
    '<g fill="none" stroke="#ffffff" stroke-opacity=".28" stroke-width="3">{rings}</g>'
    '<g fill="#ffffff">{nodes}</g>{device}</svg>'
)
DEVICE = (
    '<g transform="translate(500 430)"><rect width="600" height="150" rx="16" fill="#11181d"/>'
    '<rect x="26" y="30" width="330" height="90" rx="8" fill="#1e2a31"/>{ports}'
    '<circle cx="420" cy="75" r="9" fill="#35d39a"/><circle cx="456" cy="75" r="9" fill="#35d39a"/>'
    '<circle cx="492" cy="75" r="9" fill="#f0b429"/></g>'
)


def zone(
    kind: str,
    content: Any,
    *,
    open_: bool = False,
    presence: Presence = Presence.ALWAYS,
    guidance: str = "",
    max_length: int | None = None,
) -> dict[str, Any]:
    """Raw value of one zone of a body."""
    policy = {
        "editable": Editable.OPEN if open_ else Editable.LOCKED,
        "presence": presence,
        "guidance": guidance,
        "max_length": max_length,
    }
    return {"type": kind, "id": str(uuid.uuid4()), "value": {"content": content, **policy}}


def own_words(invitation: str) -> dict[str, Any]:
    """The open zone every item has: room for the distributor."""
    return zone(
        "rich_text",
        f"<p>{invitation}</p>",
        open_=True,
        guidance="Say in your own words what this means for your resellers, and whom they should call.",
        max_length=900,
    )


def picture(title: str, first: str, second: str, *, with_device: bool) -> Any:
    """A drawn picture, as an image of the library."""
    rings = "".join(f'<circle cx="800" cy="380" r="{r}"/>' for r in range(120, 1000, 110))
    places = ((270, 180), (420, 590), (1240, 210), (1390, 560), (800, 150), (1010, 660))
    nodes = "".join(f'<circle cx="{x}" cy="{y}" r="9"/>' for x, y in places)
    ports = "".join(f'<rect x="{44 + n * 52}" y="52" width="36" height="46" rx="5" fill="#5a6b75"/>' for n in range(6))
    svg = HORIZON.format(
        a=first, b=second, rings=rings, nodes=nodes, device=DEVICE.format(ports=ports) if with_device else ""
    )
    png = pyvips.Image.svgload_buffer(svg.encode()).pngsave_buffer()
    return get_image_model().objects.create(title=title, file=ImageFile(BytesIO(png), name=f"{slugify(title)}.png"))


def document(title: str, lines: list[str]) -> Any:
    """A one-page PDF, as a document of the library."""
    text = "".join(
        f'<text x="80" y="{170 + n * 44}" font-family="Noto Sans, Helvetica, sans-serif" font-size="26">{line}</text>'
        for n, line in enumerate(lines)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1240" height="1754"><rect width="1240" height="1754" '
        'fill="#fff"/><rect width="1240" height="18" fill="#173f5f"/><text x="80" y="110" font-family="Noto Sans, '
        f'Helvetica, sans-serif" font-size="44" font-weight="600">{title}</text>{text}</svg>'
    )
    page = Picture.open(BytesIO(pyvips.Image.svgload_buffer(svg.encode()).pngsave_buffer())).convert("RGB")
    out = BytesIO()
    page.save(out, "PDF", resolution=150)
    stored = get_document_model()(title=title)
    stored.file.save(f"{slugify(title)}.pdf", ContentFile(out.getvalue()), save=False)
    stored.save()
    return stored


def add(parent: Page, page: Page, by: User) -> Any:
    """Create ``page`` below ``parent`` and publish it."""
    Page.objects.get(pk=parent.pk).add_child(instance=page)
    page.save_revision(user=by).publish(user=by, skip_permission_checks=True)
    return type(page).objects.get(pk=page.pk)


def create_trees(by: User) -> Page:
    """Both trees with a handful of pages. Returns the folder the announcements are written in."""
    trees = ensure_trees()
    datasheet = document(
        "Edge 4 datasheet",
        [
            "Four 10G ports, fanless, 14 W",
            "Zero-touch roll-out from Meridian Console",
            "Available from stock in week 9",
        ],
    )
    guide = document("Partner program guide", ["Four ranks", "Monthly rebates", "One exam"])

    program = add(
        trees.distributors,
        SectionPage(
            title="Your program", slug="program", job=Job.ONBOARD, summary="Terms, margins and how we plan with you."
        ),
        by,
    )
    add(
        program,
        ContentPage(
            title="How a cascade works",
            slug="how-a-cascade-works",
            job=Job.ONBOARD,
            summary="What we release, what you may change, and what you see afterwards.",
            body=[
                zone("heading", "Ours to write, yours to say"),
                zone(
                    "rich_text",
                    "<p>We release an item once. <b>Locked</b> parts stay as they are; <b>open</b> parts are "
                    "yours. Your resellers get one message in your brand, and both of us see who is done.</p>",
                ),
            ],
        ),
        by,
    )
    add(
        program,
        ContentPage(
            title="Margins and rebates",
            slug="margins",
            job=Job.PRICE,
            summary="What you earn, by rank and product line.",
            body=[zone("rich_text", "<p>Front margin 12 to 18 percent, back-end rebate 3 percent, paid monthly.</p>")],
        ),
        by,
    )
    add(
        trees.distributors,
        ResourcePage(
            title="Tools for your team",
            slug="tools",
            job=Job.MARKET,
            summary="Slides, price list and program guide.",
            files=[ResourceFile(document=guide, label="Program guide", language="en")],
        ),
        by,
    )

    start = add(
        trees.resellers,
        SectionPage(title="Start here", slug="start", job=Job.ONBOARD, summary="The first week with Meridian."),
        by,
    )
    add(
        start,
        ContentPage(
            title="Your first five deals",
            slug="first-five-deals",
            job=Job.SELL,
            summary="Where Edge 4 wins, in one page.",
            body=[
                zone("heading", "Small offices, many of them"),
                zone(
                    "rich_text",
                    "<p>Retail chains, clinics and municipalities replace their branch routers now.</p>"
                    "<ul><li>Ask how long a site roll-out takes today.</li><li>Show zero-touch roll-out.</li></ul>",
                ),
                zone(
                    "quote", {"text": "We opened 40 branches in one weekend.", "attribution": "IT lead, bakery chain"}
                ),
                own_words("Your distributor's pre-sales team is happy to join the first calls."),
            ],
        ),
        by,
    )
    add(
        trees.resellers,
        ResourcePage(
            title="Product literature",
            slug="literature",
            job=Job.SELL,
            summary="Datasheets to hand over.",
            files=[ResourceFile(document=datasheet, label="Edge 4 datasheet", language="en")],
        ),
        by,
    )
    return add(
        trees.resellers,
        CascadeIndexPage(
            title="News", slug="news", job=Job.COMMUNICATE, summary="What your distributor passes on to you."
        ),
        by,
    )


def create_announcements(folder: Page, by: User) -> dict[str, AnnouncementPage]:
    """The items of the demo, published, by a short name."""
    edge = picture("Edge 4", "#0f2f4a", "#1f6f8b", with_device=True)
    ranks = picture("Four ranks", "#173f5f", "#c8553d", with_device=False)
    datasheet = get_document_model().objects.get(title="Edge 4 datasheet")
    common = {"job": Job.COMMUNICATE, "title_is_open": False}
    return {
        "edge": add(
            folder,
            AnnouncementPage(
                title="Meridian Edge 4 is here: what changes for your quotes",
                slug="edge-4",
                **common,
                summary="Edge 4 replaces Edge 3 on 1 March. Prices stay, delivery is from stock, and open quotes are "
                "honored until the end of the quarter.",
                subject="Edge 4 replaces Edge 3 on 1 March",
                preview_text="Same price, from stock, open quotes are safe",
                body=[
                    zone(
                        "image",
                        {"image": edge.pk, "alt": "Edge 4, a small fanless router with six ports", "caption": ""},
                    ),
                    own_words(
                        "We have Edge 4 in stock. Talk to us before you quote: for larger roll-outs there is more "
                        "room than the price list shows."
                    ),
                    zone("heading", "What is new"),
                    zone(
                        "rich_text",
                        "<p>Four 10G ports, fanless, 14 watts. One license covers branch and remote users. "
                        "Sites come up by themselves when the box is plugged in.</p>"
                        "<ul><li>Edge 3 can be ordered until <b>28 February</b>.</li>"
                        "<li>Open quotes are honored until <b>31 March</b>.</li>"
                        "<li>Trade-in: 15 percent for every Edge 2 and Edge 3.</li></ul>",
                    ),
                    zone(
                        "quote",
                        {
                            "text": "The first box we did not have to send an engineer with.",
                            "attribution": "Pilot customer, 120 branches",
                        },
                        open_=True,
                        presence=Presence.DROPPABLE,
                        guidance="Replace it with a customer your resellers know.",
                    ),
                    zone("document", {"document": datasheet.pk, "label": "Edge 4 datasheet"}),
                    zone(
                        "button", {"label": "Compare Edge 3 and Edge 4", "url": "https://www.meridian.example/edge-4"}
                    ),
                ],
            ),
            by,
        ),
        "program": add(
            folder,
            AnnouncementPage(
                title="The partner program gets a fourth rank and monthly rebates",
                slug="program-2027",
                **common,
                summary="From 1 January there are four ranks instead of three. Rebates are paid every month, and one "
                "exam replaces five courses.",
                subject="Four ranks, monthly rebates, one exam",
                preview_text="What changes on 1 January, in two minutes",
                body=[
                    zone("image", {"image": ranks.pk, "alt": "", "caption": ""}),
                    own_words("We will tell you your rank in a personal call before Christmas."),
                    zone("heading", "What you should do now"),
                    zone(
                        "rich_text",
                        "<ol><li>Check who in your team holds a certificate.</li><li>Register deals before "
                        "31 December to keep the old discount.</li></ol>",
                    ),
                    zone(
                        "rich_text",
                        "<p>Questions? Your partner manager knows the details.</p>",
                        open_=True,
                        presence=Presence.REQUIRED,
                        guidance="Name the person your resellers should call.",
                        max_length=300,
                    ),
                ],
            ),
            by,
        ),
        "advisory": add(
            folder,
            AnnouncementPage(
                title="Security advisory MN-2026-11: update Meridian Console to 12.4.2",
                slug="advisory-mn-2026-11",
                **common,
                summary="A flaw in single sign-on lets an attacker sign in as another user. Update today; it "
                "takes ten minutes and no downtime.",
                subject="Security: update Meridian Console today",
                preview_text="CVE scored 9.1; fixed in 12.4.2",
                subject_is_open=False,
                body=[
                    zone("heading", "Who is affected"),
                    zone(
                        "rich_text",
                        "<p>Every Console from 12.0 to 12.4.1 with single sign-on. Managed Consoles were "
                        "updated last night.</p>",
                    ),
                    zone("heading", "What to do"),
                    zone(
                        "rich_text",
                        "<ol><li>Update to 12.4.2.</li><li>Sign all sessions out.</li><li>Acknowledge here, "
                        "so that nobody has to call you.</li></ol>",
                    ),
                    own_words("Our support desk helps with the update around the clock."),
                ],
            ),
            by,
        ),
        "promotion": add(
            folder,
            AnnouncementPage(
                title="Spring trade-in: 20 percent for every old branch router",
                slug="spring-trade-in",
                **common,
                summary="From 1 April to 30 June, for any brand of router that leaves service.",
                subject="20 percent for every old router",
                preview_text="Any brand counts",
                body=[
                    zone("rich_text", "<p>Your customer keeps the old box until the new one runs; we pick it up.</p>"),
                    own_words("Ask us for the trade-in form with your logo on it."),
                ],
            ),
            by,
        ),
    }
