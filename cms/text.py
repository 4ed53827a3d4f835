"""Written plain text from stored content: for text parts of mails, search, lengths and side-by-side comparison."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from wagtail.rich_text import expand_db_html

_BLOCKS = {"p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_UNDERLINES = {"h1": "=", "h2": "="}


def underlined(text: str, line: str = "-") -> str:
    """``text`` with a line of its own length (at most 60 signs) below it."""
    return f"{text}\n{line * min(len(text), 60)}" if text else ""


class _Writer(HTMLParser):
    """Writes rich text the way a person would in a plain mail: lists with signs, links on lines of their own."""

    def __init__(self, base_url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base_url = base_url
        self.paragraphs: list[tuple[int, str]] = []  # which list it belongs to (0: none), text
        self.list_count = 0
        self.current = ""
        self.links: list[str] = []
        self.href: str | None = None
        self.lists: list[int | None] = []  # the last number of an ordered list, None for a bulleted one
        self.tag = "p"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a paragraph, list item or link."""
        if tag in {"ul", "ol"}:
            self.flush()
            self.list_count += not self.lists
            self.lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self.flush()
            self.tag = "li"
        elif tag in _BLOCKS:
            self.flush()
            self.tag = tag
        elif tag == "br":
            self.current += "\n"
        elif tag == "a":
            self.href = dict(attrs).get("href")

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened; a link's address follows its paragraph."""
        if tag == "a" and self.href:
            self.links.append(urljoin(self.base_url, self.href) if self.base_url else self.href)
            self.href = None
        elif tag in {"ul", "ol"}:
            self.flush()
            if self.lists:
                self.lists.pop()
        elif tag == "li" or tag in _BLOCKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        """Collect words; white space of the source means nothing."""
        self.current += re.sub(r"\s+", " ", data)

    def flush(self) -> None:
        """End the current paragraph."""
        text = "\n".join(line.strip() for line in self.current.strip().split("\n"))
        self.current = ""
        links, self.links = self.links, []
        if not text and not links:
            return
        if self.tag == "li":
            text = self._item(text)
        elif self.tag in _HEADINGS:
            text = underlined(text, _UNDERLINES.get(self.tag, "-"))
        links = [link.removeprefix("mailto:") for link in links if link.removeprefix("mailto:") not in text]
        self.paragraphs.append((self.list_count if self.lists else 0, "\n".join(filter(None, [text, *links]))))
        self.tag = "p"

    def text(self) -> str:
        """Paragraphs with an empty line between them; items of one list stand together."""
        parts: list[str] = []
        last = 0
        for list_number, text in self.paragraphs:
            if parts:
                parts.append("\n" if list_number and list_number == last else "\n\n")
            parts.append(text)
            last = list_number
        return "".join(parts)

    def _item(self, text: str) -> str:
        sign = "-"
        if self.lists and (number := self.lists[-1]) is not None:
            self.lists[-1] = number + 1
            sign = f"{number + 1}."
        indent = "  " * max(len(self.lists) - 1, 0)
        return indent + f"{sign} " + text.replace("\n", "\n" + indent + "  ")


def rich_text_to_text(html: str, *, base_url: str = "") -> str:
    """Stored rich text as written plain text. ``base_url`` makes links to our own pages absolute."""
    writer = _Writer(base_url)
    writer.feed(expand_db_html(html or ""))
    writer.close()
    writer.flush()
    return writer.text()


def visible_text(html: str) -> str:
    """The words of stored rich text without tags, links or signs: what a length limit counts and a search finds."""
    text = re.sub(r"<(?:/(?:p|li|h\d)|br)\b[^>]*>", " ", html or "")
    parser = _Words()
    parser.feed(text)
    parser.close()
    return re.sub(r"\s+", " ", "".join(parser.words)).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def plain_text(kind: str, value: Any) -> str:
    """The words of one zone's raw value, for lengths, search and comparison; empty when there are none."""
    if not value:
        return ""
    if kind == "rich_text":
        return visible_text(value)
    if isinstance(value, dict):
        parts = {
            "image": ("caption", "alt"),
            "document": ("label",),
            "button": ("label",),
            "quote": ("text", "attribution"),
        }.get(kind, ())
        return " ".join(str(value[part]) for part in parts if value.get(part))
    return str(value)
