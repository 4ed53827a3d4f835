"""Who there is in the demo: one vendor, its distributors with their brands, and a person to be for every role."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from django.utils.text import slugify

from accounts import brands, people
from accounts.enums import OrganizationKind, Role
from accounts.models import Brand, Membership, NetworkLink, NetworkTag, Organization, User

DOMAIN = "example"  # RFC 2606: mail to it goes nowhere, should it ever leave the demo


@dataclass(frozen=True)
class Distributor:
    """A distributor of the demo. ``slug`` is also the name of its network file."""

    slug: str
    name: str
    country: str
    language: str
    timezone: str
    color: str
    mark: str  # SVG of the sign before the name
    word: str
    tags: tuple[str, ...]
    address: str
    register: str
    manager: str
    owner: str
    phone: str

    def email(self, person: str) -> str:
        """The address of one of its people."""
        return f"{slugify(person.split()[0])}@{self.slug}.{DOMAIN}"


VENDOR_NAME = "Meridian Networks"
VENDOR_COLOR = "#173f5f"
VENDOR_MARK = (
    '<circle cx="30" cy="30" r="22" fill="none" stroke="#173f5f" stroke-width="6"/>'
    '<path d="M30 8v44M10 22h40M10 38h40" stroke="#173f5f" stroke-width="4" fill="none"/>'
)

DISTRIBUTORS = (
    Distributor(
        "nordlicht",
        "Nordlicht Distribution GmbH & Co. KG",
        "DE",
        "de",
        "Europe/Berlin",
        "#0c6b58",
        '<path d="M8 50 L22 10 L34 50 L46 18 L54 50" fill="none" stroke="#0c6b58" stroke-width="7"/>',
        "nordlicht",
        ("Gold", "Europe"),
        "Große Elbstraße 145\n22767 Hamburg\nGermany",
        "Amtsgericht Hamburg HRA 104711 · USt-IdNr. DE811111111",
        "Anna Schröder",
        "Jens Petersen",
        "+49 40 5550 1420",
    ),
    Distributor(
        "vexis",
        "Vexis Partners B.V.",
        "NL",
        "nl",
        "Europe/Amsterdam",
        "#d6232a",
        '<path d="M8 12 L30 50 L52 12" fill="none" stroke="#d6232a" stroke-width="9"/>',
        "vexis",
        ("Silver", "Europe"),
        "Wilhelminakade 308\n3072 AR Rotterdam\nThe Netherlands",
        "KvK 24555111 · BTW NL800000001B01",
        "Sanne de Wit",
        "Pieter Bakker",
        "+31 10 555 0182",
    ),
    Distributor(
        "iberica",
        "Ibérica Canal Tecnológico, S.L.",
        "ES",
        "es",
        "Europe/Madrid",
        "#f2b705",
        '<rect x="8" y="10" width="18" height="40" fill="#f2b705"/><rect x="32" y="24" width="18" height="26" '
        'fill="#3b2f00"/>',
        "ibérica canal",
        ("Silver", "Europe"),
        "Calle de Alcalá 476\n28027 Madrid\nEspaña",
        "CIF B80000001",
        "Lucía Fernández",
        "Álvaro Ortega",
        "+34 910 555 013",
    ),
    Distributor(
        "pacifica",
        "Pacifica Technology Distribution K.K.",
        "JP",
        "ja",
        "Asia/Tokyo",
        "#3d348b",
        '<path d="M4 38 q13 -20 26 0 t26 0" fill="none" stroke="#3d348b" stroke-width="7"/>',
        "pacifica",
        ("Gold", "Asia Pacific"),
        "2-11-3 Meguro\nMeguro-ku, Tokyo 153-0063\nJapan",
        "法人番号 0000000000000",
        "Haruka Mori",
        "Kenji Tanaka",
        "+81 3 5550 0142",
    ),
    Distributor(
        "brackenridge",
        "Brackenridge & Vale Ltd",
        "GB",
        "en",
        "Europe/London",
        "#1a1a1a",
        '<path d="M12 50 V12 H34 a10 10 0 0 1 0 19 H12 M34 31 a10 10 0 0 1 0 19 H12" fill="none" stroke="#1a1a1a" '
        'stroke-width="7"/>',
        "brackenridge",
        ("Gold", "Europe"),
        "14 Victoria Quay\nLeeds LS10 1AB\nUnited Kingdom",
        "Registered in England 01234567",
        "Priya Shah",
        "Tom Vale",
        "+44 113 555 0171",
    ),
    Distributor(
        "alpenrand",
        "Alpenrand IT-Systemvertriebsgesellschaft mbH",
        "AT",
        "de",
        "Europe/Vienna",
        "#8a4fff",
        '<path d="M6 50 L24 16 L34 34 L40 24 L54 50 Z" fill="#8a4fff"/>',
        "alpenrand",
        ("Silver", "Europe"),
        "Innrain 52\n6020 Innsbruck\nÖsterreich",
        "FN 000000a · ATU00000001",
        "Magdalena Hofer",
        "Florian Egger",
        "+43 512 555 022",
    ),
)


def logo(mark: str, word: str, color: str = "#1b1f23") -> bytes:
    """A sign and a word as SVG."""
    width = 78 + 21 * len(word)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="60" viewBox="0 0 {width} 60">{mark}'
        f'<text x="70" y="43" font-family="Noto Sans, Helvetica, Arial, sans-serif" font-weight="600" font-size="37" '
        f'fill="{color}">{word}</text></svg>'
    ).encode()


def create_vendor(password: str) -> tuple[Organization, User]:
    """The vendor, its brand, and the marketer who releases."""
    vendor = Organization.objects.create(
        kind=OrganizationKind.VENDOR,
        name=VENDOR_NAME,
        slug="meridian",
        country="NL",
        timezone="Europe/Amsterdam",
        imprint=f"{VENDOR_NAME} N.V.\nZuidplein 36, 1077 XV Amsterdam\n\nAn invented company: this is a demo.",
        privacy="This demo sends mail to its own mailbox only and stores everything on your machine.",
    )
    brand = brand_of(vendor, VENDOR_COLOR, f"{VENDOR_NAME} partner team", f"partners@meridian.{DOMAIN}")
    brand.postal_address = "Zuidplein 36\n1077 XV Amsterdam\nThe Netherlands"
    brand.save()
    brands.set_logo(brand, brands.read_logo(BytesIO(logo(VENDOR_MARK, "Meridian", VENDOR_COLOR))))
    marketer = person(vendor, "Mira van Dijk", f"mira@meridian.{DOMAIN}", Role.MANAGER, "Europe/Amsterdam", password)
    return vendor, marketer


def create_distributor(known: Distributor, vendor: Organization, password: str | None) -> Organization:
    """A distributor with its brand, two people, and the vendor's link to it."""
    organization = Organization.objects.create(
        kind=OrganizationKind.DISTRIBUTOR,
        name=known.name,
        slug=known.slug,
        country=known.country,
        language=known.language if known.language in {"de", "es", "fr"} else "en",
        timezone=known.timezone,
    )
    link = NetworkLink.objects.create(upstream=vendor, downstream=organization)
    link.tags.set([NetworkTag.objects.get_or_create(owner=vendor, name=tag)[0] for tag in known.tags])
    brand = brand_of(organization, known.color, known.name, f"partner@{known.slug}.{DOMAIN}")
    brand.postal_address, brand.legal_footer = known.address, known.register
    brand.contact_name, brand.contact_phone = known.manager, known.phone
    brand.contact_email = known.email(known.manager)
    brand.save()
    brands.set_logo(brand, brands.read_logo(BytesIO(logo(known.mark, known.word))))
    person(organization, known.manager, known.email(known.manager), Role.MANAGER, known.timezone, password)
    person(organization, known.owner, known.email(known.owner), Role.OWNER, known.timezone, None)
    return organization


def brand_of(organization: Organization, color: str, sender: str, reply_to: str) -> Brand:
    """The organization's brand with what every sender needs."""
    brand, _created = Brand.objects.get_or_create(organization=organization)
    brand.color, brand.sender_name, brand.reply_to = color, sender, reply_to
    return brand


def person(organization: Organization, name: str, email: str, role: Role, zone: str, password: str | None) -> User:
    """Somebody with an account; without a password (hashing one takes half a second) nobody can sign in as them."""
    user = people.create_account(email, password, name=name)
    user.person.timezone = zone
    user.person.save(update_fields=["timezone"])
    Membership.objects.create(user=user, organization=organization, role=role)
    return user
