"""What a distributor wrote, made safe: the last wall before the database. Wagtail does not sanitize on output."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import nh3
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cms.media import usable_documents, usable_images
from cms.text import plain_text
from cms.zones import Zone, is_empty

if TYPE_CHECKING:
    from accounts.models import Organization

# Tags that a rich text feature of Draftail writes; paragraphs and line breaks are always there.
_FEATURE_TAGS: dict[str, set[str]] = {
    "bold": {"b", "strong"},
    "italic": {"i", "em"},
    "link": {"a"},
    "ul": {"ul", "li"},
    "ol": {"ol", "li"},
    "h3": {"h3"},
    "h4": {"h4"},
}
_BASE_TAGS = {"p", "br"}
_LINK_SCHEMES = {"http", "https", "mailto", "tel"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LINE_BREAKS = re.compile(r"[\r\n\t]")
_url = URLValidator(schemes=["http", "https"])


def clean_value(zone: Zone, value: Any, organization: Organization) -> Any:
    """``value`` as it may be stored for ``zone``: sanitized, of the zone's shape and within its limits.

    Raises ValidationError with a message for the person: emptied, overlong, a bad address, a foreign image.
    """
    cleaned = _CLEANERS[zone.kind](zone, value, organization)
    if is_empty(zone.kind, cleaned):
        raise ValidationError(_empty_message(zone), code="required")
    length = len(plain_text(zone.kind, cleaned))
    if zone.max_length is not None and length > zone.max_length:
        over = length - zone.max_length
        raise ValidationError(
            ngettext(
                "This is %(over)d character too long; at most %(limit)d fit.",
                "This is %(over)d characters too long; at most %(limit)d fit.",
                over,
            )
            % {"over": over, "limit": zone.max_length},
            code="overlong",
        )
    return cleaned


def _empty_message(zone: Zone) -> str:
    if zone.is_droppable:
        return _("This is empty. Leave it out instead, or write something.")
    return _("This part must not be empty.")


def clean_line(value: Any, *, limit: int | None = None) -> str:
    """One line of text. Raises ValidationError on control characters, which could forge headers, and overlength."""
    if not isinstance(value, str):
        raise ValidationError(_("Write text here."), code="invalid")
    text = value.strip()
    if _CONTROL.search(text) or _LINE_BREAKS.search(text):
        raise ValidationError(_("Write this on one line, without control characters."), code="control")
    if limit is not None and len(text) > limit:
        raise ValidationError(_("At most %(limit)d characters fit.") % {"limit": limit}, code="overlong")
    return text


def clean_text(value: Any, *, limit: int | None = None) -> str:
    """Text of several lines, with line breaks as ``\\n``."""
    if not isinstance(value, str):
        raise ValidationError(_("Write text here."), code="invalid")
    text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _CONTROL.search(text):
        raise ValidationError(_("Write this without control characters."), code="control")
    if limit is not None and len(text) > limit:
        raise ValidationError(_("At most %(limit)d characters fit.") % {"limit": limit}, code="overlong")
    return text


def clean_url(value: Any) -> str:
    """A web address. Raises ValidationError unless it is http or https and has a host."""
    text = clean_line(value)
    if not text:
        return ""
    try:
        _url(text)
    except ValidationError:
        raise ValidationError(_("Give a web address that starts with https://"), code="url") from None
    return text


def clean_rich_text(html: Any, features: tuple[str, ...], *, vendor_html: str = "") -> str:
    """``html`` with nothing but what ``features`` allow.

    Links inside the portal (``linktype``) stay only where the vendor's own text has them, so that nobody can link
    to, and thereby learn of, a page or file by guessing its number. Raises ValidationError on other addresses than
    web, mail and telephone.
    """
    if not isinstance(html, str):
        raise ValidationError(_("Write text here."), code="invalid")
    tags = _BASE_TAGS.union(*(_FEATURE_TAGS.get(feature, set()) for feature in features))
    kept = nh3.clean(
        _CONTROL.sub("", html),
        tags=tags,
        clean_content_tags={"script", "style", "template", "noscript", "iframe", "object"},
        attributes={"a": {"href", "linktype", "id"}} if "a" in tags else {},
        url_schemes=_LINK_SCHEMES | {"javascript", "data", "vbscript", "ftp", "file"},  # refused below, with a message
        link_rel=None,
        strip_comments=True,
    )
    allowed = _internal_links(vendor_html)
    writer = _LinkCheck(allowed)
    writer.feed(kept)
    writer.close()
    return "".join(writer.parts).strip()


def _internal_links(html: str) -> set[tuple[str, str]]:
    reader = _LinkCheck(None)
    reader.feed(html or "")
    reader.close()
    return reader.internal


class _LinkCheck(HTMLParser):
    """Passes sanitized markup through and decides about each link; ``allowed=None`` only collects."""

    def __init__(self, allowed: set[tuple[str, str]] | None) -> None:
        super().__init__(convert_charrefs=False)
        self.allowed = allowed
        self.internal: set[tuple[str, str]] = set()
        self.parts: list[str] = []
        self.dropped: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self.parts.append(self.get_starttag_text() or "")
            return
        given = {name: value or "" for name, value in attrs}
        if linktype := given.get("linktype"):
            link = (linktype, given.get("id", ""))
            self.internal.add(link)
            keep = self.allowed is None or link in self.allowed
            if keep:
                self.parts.append(f'<a linktype="{_attribute(linktype)}" id="{_attribute(link[1])}">')
        else:
            href = given.get("href", "").strip()
            keep = bool(href)
            if keep and self.allowed is not None:
                _check_link(href)
            if keep:
                self.parts.append(f'<a href="{_attribute(href)}">')
        self.dropped.append(not keep)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and (not self.dropped or self.dropped.pop()):
            return
        self.parts.append(f"</{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(f"<{tag}/>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")


def _attribute(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _check_link(href: str) -> None:
    """Raises ValidationError unless ``href`` leads to the web, a mail address or a telephone."""
    try:
        parts = urlsplit(href)
        good = parts.scheme.lower() in _LINK_SCHEMES and bool(
            parts.netloc if parts.scheme.lower() in {"http", "https"} else parts.path
        )
    except ValueError:
        good = False
    if not good:
        raise ValidationError(
            _("The link “%(link)s” does not start with https://, mailto: or tel:") % {"link": href[:80]}, code="url"
        )


def _heading(zone: Zone, value: Any, organization: Organization) -> str:
    return clean_line(value)


def _rich_text(zone: Zone, value: Any, organization: Organization) -> str:
    return clean_rich_text(value, zone.features, vendor_html=zone.value or "")


def _parts(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValidationError(_("Something is missing here."), code="invalid")
    return value


def _button(zone: Zone, value: Any, organization: Organization) -> dict[str, Any]:
    value = _parts(value)
    return {"label": clean_line(value.get("label") or "", limit=60), "url": clean_url(value.get("url") or "")}


def _quote(zone: Zone, value: Any, organization: Organization) -> dict[str, Any]:
    value = _parts(value)
    return {
        "text": clean_text(value.get("text") or "", limit=1000),
        "attribution": clean_line(value.get("attribution") or "", limit=120),
    }


def _image(zone: Zone, value: Any, organization: Organization) -> dict[str, Any]:
    value = _parts(value)
    pk = _pk(value.get("image"))
    vendors_own = _pk((zone.value or {}).get("image"))
    if pk is not None and pk != vendors_own and not usable_images(organization).filter(pk=pk).exists():
        raise ValidationError(_("Choose one of your own pictures."), code="image")
    return {
        "image": pk,
        "alt": clean_line(value.get("alt") or "", limit=200),
        "caption": clean_line(value.get("caption") or "", limit=200),
    }


def _document(zone: Zone, value: Any, organization: Organization) -> dict[str, Any]:
    value = _parts(value)
    pk = _pk(value.get("document"))
    vendors_own = _pk((zone.value or {}).get("document"))
    if pk is not None and pk != vendors_own and not usable_documents(organization).filter(pk=pk).exists():
        raise ValidationError(_("Choose one of your own files."), code="document")
    return {"document": pk, "label": clean_line(value.get("label") or "", limit=120)}


def _pk(value: Any) -> int | None:
    try:
        return int(value) if value not in (None, "") else None
    except (TypeError, ValueError):
        raise ValidationError(_("Choose again; this is not known."), code="invalid") from None


_CLEANERS = {
    "field": _heading,
    "heading": _heading,
    "rich_text": _rich_text,
    "button": _button,
    "quote": _quote,
    "image": _image,
    "document": _document,
}
