"""The viewer of the demo's mailbox: a list, a message, its HTML in a frame of its own, its attachments."""

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage, Message
from typing import Any, overload

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views import View
from django.views.generic import TemplateView

from config.mailbox.store import Entry, Mailbox

PAGE_SIZE = 50
CID = re.compile(r"""cid:([^"'()\s>]+)""")
HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
# Shown as mail clients would: its own styles, no scripts, no forms; links open beside the viewer.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: {origin}; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


class SearchForm(forms.Form):
    """What to look for in the list."""

    q = forms.CharField(label=_("Search subject, sender or recipient"), required=False, max_length=200)


class Results(Sequence[Entry]):
    """The messages a search finds; a paginator reads one page of them at a time."""

    def __init__(self, mailbox: Mailbox, words: str) -> None:
        self.mailbox = mailbox
        self.words = words

    @cached_property
    def total(self) -> int:
        """How many there are."""
        return self.mailbox.search(self.words, limit=0)[1]

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, int):
            return self.mailbox.search(self.words, offset=index, limit=1)[0][0]
        start = index.start or 0
        stop = self.total if index.stop is None else index.stop
        return self.mailbox.search(self.words, offset=start, limit=stop - start)[0]


@dataclass(frozen=True)
class Attachment:
    """A part of a message that is offered for download."""

    number: int
    name: str
    kind: str
    size: int


def attachments(message: EmailMessage) -> list[Attachment]:
    """The parts that are neither the text nor the HTML of the message; ``number`` is the position in ``walk()``."""
    bodies = {id(message.get_body(["html"])), id(message.get_body(["plain"]))}
    return [
        Attachment(
            number,
            file_name(part, number),
            part.get_content_type(),
            len(part.get_payload(decode=True) or b""),
        )
        for number, part in enumerate(message.walk())
        if not part.is_multipart() and id(part) not in bodies
    ]


def file_name(part: Message, number: int) -> str:
    """The name the sender gave to ``part``, or one that at least has the right ending."""
    return part.get_filename() or f"part-{number}{mimetypes.guess_extension(part.get_content_type()) or ''}"


def body(message: EmailMessage, kind: str) -> str:
    """The text of the part ``kind`` (plain or html), empty without one."""
    part = message.get_body([kind])
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a charset that Python does not know
        return bytes(part.get_payload(decode=True) or b"").decode(errors="replace")


class MessageList(TemplateView):
    """Everything the mail server took, newest first."""

    template_name = "mailbox/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page of the list that was asked for."""
        form = SearchForm(self.request.GET)
        words = form.cleaned_data["q"] if form.is_valid() else ""
        paginator = Paginator(Results(Mailbox(settings.MAILBOX_DIR), words), PAGE_SIZE)
        page = paginator.get_page(self.request.GET.get("page"))
        count = ngettext("%(count)d message", "%(count)d messages", paginator.count) % {"count": paginator.count}
        return super().get_context_data(**kwargs) | {"filter_form": form, "page": page, "count": count, "words": words}


class MessageMixin:
    """Finds the message of the address."""

    kwargs: dict[str, Any]

    @cached_property
    def mailbox(self) -> Mailbox:
        """Where to look."""
        return Mailbox(settings.MAILBOX_DIR)

    @cached_property
    def entry(self) -> Entry:
        """The entry in the list. Raises: Http404."""
        if entry := self.mailbox.entry(self.kwargs["number"]):
            return entry
        raise Http404(_("There is no such message."))

    @cached_property
    def message(self) -> EmailMessage:
        """The parsed message. Raises: Http404."""
        return self.mailbox.message(self.entry)


class MessageDetail(MessageMixin, TemplateView):
    """One message: as HTML, as text, its headers, its source, its attachments."""

    template_name = "mailbox/message.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The message in all its forms."""
        return super().get_context_data(**kwargs) | {
            "entry": self.entry,
            "has_html": self.message.get_body(["html"]) is not None,
            "text": body(self.message, "plain"),
            "headers": [(name, str(value)) for name, value in self.message.items()],
            "source": self.mailbox.raw(self.entry).decode(errors="replace"),
            "attachments": attachments(self.message),
        }


class MessageHtml(MessageMixin, View):
    """The HTML of a message, for the frame on its page: a policy of its own, because mails style themselves inline."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """The HTML; pictures that came along are found under our address, links open beside the viewer."""
        html = CID.sub(self.address_of_part, body(self.message, "html"))
        base = '<base target="_blank">'
        html = HEAD.sub(lambda head: head.group() + base, html, count=1) if HEAD.search(html) else base + html
        return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY.format(origin=settings.BASE_URL)})

    def address_of_part(self, match: re.Match[str]) -> str:
        """The address of the part that a ``cid:`` names, or the ``cid:`` itself."""
        for number, part in enumerate(self.message.walk()):
            if str(part.get("Content-ID", "")).strip("<> ") == match.group(1):
                return escape(reverse("mailbox_part", args=[self.entry.id, number]))
        return match.group()


class MessagePart(MessageMixin, View):
    """One attachment, for download; never shown as a page of ours."""

    def get(self, request: HttpRequest, number: int, part: int) -> HttpResponse:
        """The bytes of the part. Raises: Http404."""
        parts = dict(enumerate(self.message.walk()))
        if part not in parts or parts[part].is_multipart():
            raise Http404(_("There is no such attachment."))
        found = parts[part]
        is_picture = found.get_content_maintype() == "image" and found.get_content_subtype() != "svg+xml"
        response = HttpResponse(
            found.get_payload(decode=True),
            content_type=found.get_content_type(),
            headers={"Content-Security-Policy": "default-src 'none'; sandbox"},
        )
        if not is_picture:
            name = file_name(found, part)
            response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return response


class MessageSource(MessageMixin, View):
    """The message as a file that mail clients open."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        """The source."""
        headers = {"Content-Disposition": f'attachment; filename="message-{self.entry.id}.eml"'}
        return HttpResponse(self.mailbox.raw(self.entry), content_type="message/rfc822", headers=headers)
