"""The portal's components as template tags: `{% load portal %}`. The gallery (`/_gallery/`, DEBUG) shows them all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A symbol of the sprite; decorative unless ``label`` says in words what it means."""
    href = f"{static('icons/sprite.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', href)


# --- states: icon + word + color, the same everywhere ------------------------------------------------------------
STATES: dict[str, tuple[str, str, Any]] = {
    # each state has a tone, an icon and a word
    "draft": ("neutral", "draft", _("Draft")),
    "open": ("info", "dot", _("Open")),
    "closed": ("neutral", "lock", _("Closed")),
    "offered": ("info", "inbox", _("Offered")),
    "accepted": ("info", "check", _("Accepted")),
    "adapted": ("info", "edit", _("Adapted")),
    "ready": ("info", "check", _("Ready")),
    "scheduled": ("info", "calendar", _("Scheduled")),
    "frozen": ("info", "clock", _("About to send")),
    "sending": ("info", "send", _("Sending")),
    "paused": ("warn", "pause", _("Paused")),
    "held": ("warn", "pause", _("Held")),
    "sent": ("ok", "send", _("Sent")),
    "delivered": ("ok", "check-double", _("Delivered")),
    "clicked": ("ok", "link", _("Clicked")),
    "read": ("ok", "eye", _("Read")),
    "acknowledged": ("ok", "check-circle", _("Acknowledged")),
    "done": ("ok", "check-circle", _("Done")),
    "overdue": ("danger", "clock", _("Overdue")),
    "declined": ("neutral", "ban", _("Declined")),
    "withdrawn": ("neutral", "undo", _("Withdrawn")),
    "cancelled": ("neutral", "close", _("Cancelled")),
    "recalled": ("danger", "undo", _("Recalled")),
    "behind": ("warn", "refresh", _("Behind")),
    "current": ("ok", "check", _("Current")),
    "conflict": ("warn", "split", _("Conflict")),
    "unconfirmed": ("warn", "help", _("Unconfirmed")),
    "queued": ("neutral", "clock", _("Waiting")),
    "waiting": ("neutral", "clock", _("Waiting")),
    "retrying": ("warn", "refresh", _("Retrying")),
    "failed": ("danger", "error", _("Failed")),
    "bounced": ("danger", "undo", _("Bounced")),
    "complained": ("danger", "flag", _("Complained")),
    "suppressed": ("neutral", "ban", _("Not mailed")),
    "unsubscribed": ("neutral", "ban", _("Unsubscribed")),
    "invited": ("info", "mail", _("Invited")),
    "active": ("ok", "check", _("Active")),
    "ended": ("neutral", "ban", _("Ended")),
}


@register.inclusion_tag("components/state.html")
def state(value: str, detail: str = "", label: str = "") -> dict[str, Any]:
    """The badge of a state, for instance ``{% state "sending" detail="62%" %}``; ``label`` replaces the word."""
    tone, symbol, word = STATES.get(str(value), ("neutral", "dot", str(value).replace("_", " ").capitalize()))
    return {"tone": tone, "icon": symbol, "word": label or word, "detail": detail}


# --- forms -------------------------------------------------------------------------------------------------------
@register.inclusion_tag("components/field.html")
def field(bound: BoundField, label: str = "", help_text: str = "", count: bool = False) -> dict[str, Any]:
    """A form field with label, help and errors; ``count`` shows the remaining characters of its ``maxlength``."""
    widget = bound.field.widget
    return {
        "field": bound,
        "label": label or bound.label,
        "help_text": help_text or bound.help_text,
        "is_check": isinstance(widget, CheckboxInput),
        "is_choices": isinstance(widget, RadioSelect | CheckboxSelectMultiple),
        "count": count,
    }


@register.inclusion_tag("components/errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """The summary of a form's errors, each linked to its field; nothing for a form without errors."""
    return {"form": form}


# --- lists -------------------------------------------------------------------------------------------------------
@register.inclusion_tag("components/sort.html", takes_context=True)
def sort_head(context: template.Context, key: str, label: str, number: bool = False) -> dict[str, Any]:
    """A table head that sorts by ``key`` (query parameter ``sort``, descending with a leading minus)."""
    query = context["request"].GET.copy()
    current = query.get("sort", "")
    query["sort"] = f"-{key}" if current == key else key
    query.pop("page", None)
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "none")
    return {"label": label, "direction": direction, "href": f"?{query.urlencode()}", "number": number}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Any) -> dict[str, Any]:
    """Page numbers under a list; ``page`` is a ``django.core.paginator.Page``. Shows nothing for a single page."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    prefix = f"{query.urlencode()}&" if query else ""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "numbers": list(numbers), "href": f"?{prefix}page=", "gap": page.paginator.ELLIPSIS}


# --- charts: SVG of our own, never without numbers in words -------------------------------------------------------
@dataclass(frozen=True)
class Segment:
    """A piece of a progress bar, in per cent of its width."""

    label: Any
    tone: str
    value: int
    start: float
    width: float


def segments(parts: Iterable[tuple[Any, str, int]]) -> list[Segment]:
    """Lay out ``(label, tone, value)`` from left to right; all zero gives pieces without width."""
    parts = list(parts)
    total = sum(value for _label, _tone, value in parts)
    laid, start = [], 0.0
    for label, tone, value in parts:
        width = 100 * value / total if total else 0.0
        laid.append(Segment(label, tone, value, round(start, 3), round(width, 3)))
        start += width
    return laid


@register.inclusion_tag("components/progress.html")
def progress(parts: Iterable[tuple[Any, str, int]], label: str = "", legend: bool = True) -> dict[str, Any]:
    """One bar of ``(label, tone, value)`` pieces and its legend; tones: ok, info, warn, danger, neutral."""
    laid = segments(parts)
    return {"segments": laid, "label": label, "legend": legend, "total": sum(part.value for part in laid)}


@register.inclusion_tag("components/share.html")
def share(value: int, total: int, tone: str = "ok") -> dict[str, Any]:
    """A small bar for a table cell: ``value`` of ``total``."""
    return {"value": value, "total": total, "tone": tone, "percent": _percent(value, total)}


@register.inclusion_tag("components/funnel.html")
def funnel(steps: Iterable[Mapping[str, Any]], title: str, hide_title: bool = False) -> dict[str, Any]:
    """A table whose bars go from wide to narrow.

    Each step has ``label`` and ``value``, and may have ``url`` and ``is_late``. Shares are of the first step.
    """
    steps = list(steps)
    first = steps[0]["value"] if steps else 0
    widest = max((step["value"] for step in steps), default=0)
    rows = [
        {
            **step,
            "percent": _percent(step["value"], first),
            "width": round(100 * step["value"] / widest, 2) if widest else 0,
        }
        for step in steps
    ]
    return {"rows": rows, "title": title, "hide_title": hide_title}


def _percent(value: int, total: int) -> int:
    """A share in whole per cent that says 0 and 100 only when it is true."""
    if not total or not value:
        return 0
    return 100 if value >= total else min(max(round(100 * value / total), 1), 99)


# --- people ------------------------------------------------------------------------------------------------------
@register.filter
def initials(name: Any) -> str:
    """Up to two letters that stand for a person's or organization's name."""
    words = [word for word in str(name or "").replace("@", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "?"
