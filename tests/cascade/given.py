"""Shorthand for tests of the workspace: a released item and hops on it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone
from wagtail.models import Locale, Page

from accounts.models import Organization
from cascade.enums import CascadeState, Tier
from cascade.models import AnnouncementPage, Cascade, CascadeContent, Hop
from cms.enums import Editable, Job, Presence

_numbers = itertools.count(1)


def zone(kind: str, content: Any, key: str = "", **settings: Any) -> dict[str, Any]:
    """The raw value of one zone, locked unless ``editable`` says otherwise."""
    settings = {"editable": Editable.LOCKED, "presence": Presence.ALWAYS, "guidance": "", **settings}
    return {"type": kind, "id": key or f"zone-{next(_numbers)}", "value": {**settings, "content": content}}


def given_page(body: list[dict[str, Any]] | None = None, **fields: Any) -> AnnouncementPage:
    """A published announcement."""
    root = Page.get_first_root_node()
    if root is None:
        root = Page.add_root(
            instance=Page(title="Root", slug="root", locale=Locale.objects.get_or_create(language_code="en")[0])
        )
    number = next(_numbers)
    page = AnnouncementPage(
        title=fields.pop("title", f"Announcement {number}"),
        slug=f"announcement-{number}",
        job=Job.COMMUNICATE,
        subject=fields.pop("subject", "The spring price list is here"),
        locale=Locale.objects.get_or_create(language_code=fields.pop("language", "en"))[0],
        **fields,
    )
    page.body = page._meta.get_field("body").to_python(
        body
        if body is not None
        else [
            zone("heading", "New prices", "head"),
            zone("rich_text", "<p>From <b>April</b> on.</p>", "lead"),
            zone(
                "rich_text",
                "<p>Call us.</p>",
                "local",
                editable=Editable.OPEN,
                guidance="Say who to call.",
                max_length=200,
            ),
            zone("quote", {"text": "Great.", "attribution": "Jo"}, "quote", presence=Presence.DROPPABLE),
        ]
    )
    root.add_child(instance=page)
    page.save_revision().publish()
    return AnnouncementPage.objects.get(pk=page.pk)


def given_cascade(page: AnnouncementPage | None = None, **fields: Any) -> Cascade:
    """An open cascade of ``page``, due in five days for distributors and in twenty for resellers."""
    now = timezone.now()
    page = page or given_page()
    values = {
        "name": page.title,
        "reason": "Prices change on April 1.",
        "state": CascadeState.OPEN,
        "topic": "news",
        "pass_on_by": now + timedelta(days=5),
        "due_at": now + timedelta(days=20),
        "released_at": now,
        **fields,
    }
    cascade = Cascade.objects.create(**values)
    CascadeContent.objects.create(cascade=cascade, locale=page.locale, page=page, revision=page.live_revision)
    return cascade


def given_hop(distributor: Organization, cascade: Cascade | None = None, **fields: Any) -> Hop:
    """What was offered to ``distributor``; fields of the cascade go through ``given_cascade``."""
    cascade = cascade or given_cascade()
    return Hop.objects.create(cascade=cascade, organization=distributor, tier=Tier.RESELLERS, **fields)
