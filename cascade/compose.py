"""What a wave says: written once per language when it freezes, compiled once per process, filled per person.

The effective page is read at the freeze and never again, so that everybody in a wave gets the same mail, whatever is
edited meanwhile. What is kept (``WaveContent``) still holds the markers of personal values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Organization
from cascade import lanes, links, tokens
from cascade.enums import Goal, Tier, WaveKind
from cascade.interfaces import CascadablePage, MailContent
from cascade.message import BadMessage, CompiledMessage, HeaderKind, HeaderLine, Slots, mailbox
from cascade.models import Cascade, Hop, Wave, WaveContent
from cascade.tokens import Purpose
from cms import mail
from cms.effective import body_text, effective

if TYPE_CHECKING:
    from accounts.models import User

PURPOSES = tuple(Purpose)
TEST_DELIVERY = 0  # stands in the tokens of a test mail: they open nothing


class NoContent(Exception):
    """The cascade has no page in this language."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The values of one person, as they were when the wave froze."""

    delivery_id: int
    email: str
    name: str
    company: str
    hop_id: int = 0  # the distributor's own hop, for the vendor's notice


def languages(cascade: Cascade) -> list[str]:
    """Languages a cascade has a page in, the one released first in front. Raises NoContent."""
    codes = list(cascade.contents.order_by("pk").values_list("locale__language_code", flat=True))
    if not codes:
        raise NoContent(_("The item has no page."))
    return codes


# --- writing ------------------------------------------------------------------------------------------------------


def write(hop: Hop, language: str, *, kind: str, base_url: str, slots: Slots) -> mail.RenderedMail:
    """The mail of ``hop`` in ``language``, with markers of ``slots`` in place of personal values.

    Raises: NoContent, cms.mail.BadTemplate.
    """
    cascade = hop.cascade
    content = cascade.contents.select_related("locale").filter(locale__language_code=language).first()
    if content is None:
        raise NoContent(_("The item has no page in “%(language)s”.") % {"language": language})
    page = content.page.specific
    reader = hop.organization if hop.tier == Tier.RESELLERS else None
    with translation.override(language):
        shown = effective(page, reader, content.locale)
        is_reminder = kind == WaveKind.REMINDER
        context: dict[str, Any] = {
            "cascade": cascade,
            "organization": hop.organization,
            "base_url": base_url,
            "image_scope": cascade.image_scope,
            "effective": shown,
            "slots": slots,
            "links": _links(base_url, slots),
            "reminder": is_reminder,
            "due_at": cascade.due_at,
            "body_text": body_text(shown, base_url=base_url),
        }
        template = "cascade_notice"
        if hop.tier == Tier.RESELLERS:
            given = page.mail(shown, language) if isinstance(page, CascadablePage) else MailContent()
            template = given.template
            actions = page.actions(Goal(cascade.goal)) if isinstance(page, CascadablePage) else ()
            context |= {"action": actions[0] if actions else None, "button_label": given.button_label, **given.context}
        return mail.render(template, context, language=language)


def _links(base_url: str, slots: Slots) -> dict[str, str]:
    addresses = {str(purpose): links.address(base_url, purpose, slots[str(purpose)]) for purpose in PURPOSES}
    return {**addresses, "workspace": f"{base_url.rstrip('/')}/workspace/{slots['hop']}/"}


def freeze_content(wave: Wave, language: str) -> WaveContent:
    """Write what ``wave`` says in ``language``; a second call returns what was written first."""
    kept = wave.contents.filter(language=language).first()
    if kept is not None:
        return kept
    slots = Slots()
    written = write(wave.hop, language, kind=wave.kind, base_url=wave.base_url, slots=slots)
    content = WaveContent(
        wave=wave,
        language=language,
        subject=written.subject[:255],
        html=written.html,
        text=written.text,
        headers={**sender_headers(wave.hop, wave.kind), "nonce": slots.nonce},
    )
    check(content, wave)
    content.save()
    return content


def sender_headers(hop: Hop, kind: str) -> dict[str, str]:
    """Who a mail of ``hop`` is from, as frozen with its text. ``from_name``, ``from_email`` and, optional, others."""
    sender = hop.organization
    brand = getattr(sender, "brand", None)
    name = brand.name if brand else sender.name
    address = lanes.from_address(sender)
    domain = address.rpartition("@")[2]
    headers = {
        "from_name": name,
        "from_email": address,
        "list_id": f"{sender.slug}.{domain}",
        # The last field is the same for the whole installation, so that mailbox providers split complaint rates.
        "feedback_id": f"{hop.cascade_id}:{sender.pk}:{kind}:onward",
        "domain": domain,
    }
    if brand and brand.reply_to:
        headers["reply_to"] = brand.reply_to
    if not lanes.has_own_domain(brand) and not sender.is_vendor:
        vendor = Organization.objects.filter(kind="vendor").values_list("name", flat=True).first()
        # Never a brand's own domain without DKIM: the platform sends on its behalf, and answers go to the brand.
        headers["from_name"] = _("%(distributor)s via %(vendor)s") % {"distributor": name, "vendor": vendor or ""}
    return headers


# --- compiling ----------------------------------------------------------------------------------------------------


def compose(wave: Wave, language: str) -> CompiledMessage:
    """The frozen mail of ``wave`` in ``language``, compiled. Raises NoContent if it was not frozen."""
    content = wave.contents.filter(language=language).first()
    if content is None:
        raise NoContent(_("The item has no page in “%(language)s”.") % {"language": language})
    return compile_content(content, wave.base_url)


def compile_content(content: WaveContent, base_url: str) -> CompiledMessage:
    """Compile frozen content into a message with all its headers."""
    slots = Slots(content.headers["nonce"])
    kept = content.headers
    unsubscribe = links.address(base_url, Purpose.UNSUBSCRIBE, slots[str(Purpose.UNSUBSCRIBE)])
    headers = [
        HeaderLine("From", mailbox(kept["from_name"], kept["from_email"]), HeaderKind.ADDRESS),
        HeaderLine("To", mailbox(slots["name"], slots["email"]), HeaderKind.ADDRESS),
        HeaderLine("Subject", content.subject),
        HeaderLine("Date", slots["date"]),
        HeaderLine("Message-ID", f"<{slots['mid']}@{kept['domain']}>", HeaderKind.RAW),
        # RFC 8058: one click, by POST, without signing in. Both headers must be covered by the relay's DKIM signature.
        HeaderLine("List-Unsubscribe", f"<{unsubscribe}>", HeaderKind.RAW),
        HeaderLine("List-Unsubscribe-Post", "List-Unsubscribe=One-Click", HeaderKind.RAW),
        HeaderLine("List-Id", mailbox_list(kept["from_name"], kept["list_id"])),
        HeaderLine("Feedback-ID", kept["feedback_id"], HeaderKind.RAW),
        HeaderLine("Auto-Submitted", "auto-generated", HeaderKind.RAW),
    ]
    if kept.get("reply_to"):
        headers.append(HeaderLine("Reply-To", mailbox("", kept["reply_to"]), HeaderKind.ADDRESS))
    return CompiledMessage(headers, text=content.text, html=content.html, slots=slots)


def mailbox_list(name: str, list_id: str) -> str:
    """The value of List-Id (RFC 2919); the phrase stays ASCII, since encoded-words may not stand beside the id."""
    phrase = "".join(character for character in name if character.isascii() and character not in '<>"\\').strip()
    return f'"{phrase}" <{list_id}>' if phrase else f"<{list_id}>"


def values(recipient: Recipient) -> Mapping[str, str]:
    """What is put into a compiled message for one person."""
    made = {str(purpose): tokens.make(recipient.delivery_id, purpose) for purpose in PURPOSES}
    return {
        **made,
        "name": recipient.name,
        "company": recipient.company,
        "email": recipient.email,
        "date": formatdate(usegmt=True),
        "mid": message_id(recipient.delivery_id),
        "hop": str(recipient.hop_id),
    }


def message_id(delivery_id: int) -> str:
    """The left part of a delivery's Message-ID: always the same, so that a relay's log settles what is unconfirmed.

    ``tokens.read(…, "message-id")`` leads back to the delivery.
    """
    return f"d.{tokens.make(delivery_id, 'message-id')}"


def check(content: WaveContent, wave: Wave) -> None:
    """Read the compiled message with a real MIME parser, once, before anybody gets it. Raises BadMessage."""
    sample = Recipient(2**40, "someone@example.com", "Zoë “Z” <b>Ångström</b>", "B.V. & Söhne")
    parsed = compile_content(content, wave.base_url).parse(values(sample))
    plain, rich = parsed.get_body(("plain",)), parsed.get_body(("html",))
    unsubscribe = links.for_delivery(wave.base_url, Purpose.UNSUBSCRIBE, sample.delivery_id)
    if parsed.defects or plain is None or rich is None:
        raise BadMessage("The mail cannot be read back.")
    for part in (plain, rich):
        text = part.get_content()
        if unsubscribe not in text:
            raise BadMessage("The mail holds no unsubscribe link.")
        if content.headers["nonce"] in text:
            raise BadMessage("The mail holds a merge field that nothing fills.")
    if sample.name in rich.get_content():
        raise BadMessage("The mail holds a value that is not escaped.")


@dataclass(frozen=True)
class TestMail:
    """One finished message, for the outbox."""

    raw: bytes
    sender: str
    subject: str
    message_id: str


def write_test(hop: Hop, to: User, *, base_url: str) -> TestMail:
    """The mail of ``hop`` as ``to`` would get it, marked as a test; its links for recipients open nothing."""
    available = languages(hop.cascade)
    wanted = to.person.language or hop.organization.language
    language = next((code for code in (wanted, wanted[:2]) if code in available), available[0])
    slots = Slots()
    written = write(hop, language, kind=WaveKind.INITIAL, base_url=base_url, slots=slots)
    headers = sender_headers(hop, "test")
    content = WaveContent(
        language=language,
        subject=(_("[Test] %(subject)s") % {"subject": written.subject})[:255],
        html=written.html,
        text=written.text,
        headers={**headers, "nonce": slots.nonce},
    )
    person = Recipient(TEST_DELIVERY, to.email, to.get_full_name(), hop.organization.name, hop.pk)
    filled = {**values(person), "mid": f"test.{slots.nonce}"}
    raw = compile_content(content, base_url).render(filled)
    return TestMail(raw, headers["from_email"], content.subject, f"<test.{slots.nonce}@{headers['domain']}>")
