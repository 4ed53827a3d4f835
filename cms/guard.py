"""What stops a page from being deleted, moved, unpublished or published: reasons instead of a database error.

An app above that holds on to pages registers a checker; the Wagtail hooks ask all of them, for single pages and bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from wagtail.models import Page

from cms import access
from cms.enums import Job, Level
from cms.models import ZonedPage

Action = Literal["delete", "move", "unpublish"]
Checker = Callable[["QuerySet[Page]", Action], Iterable[str]]

_checkers: list[Checker] = []


def register_checker(checker: Checker) -> None:
    """Ask ``checker(pages, action)`` before pages are deleted, moved or unpublished; it gives reasons against it."""
    if checker not in _checkers:
        _checkers.append(checker)


def reasons_against(action: Action, pages: Iterable[Page], *, with_descendants: bool = True) -> list[str]:
    """Why ``pages``, with all that lies below them, must stay as they are; empty when nothing speaks against it."""
    concerned = Page.objects.none()
    for page in pages:
        concerned |= Page.objects.descendant_of(page, inclusive=True) if with_descendants else page_only(page)
    return [reason for checker in _checkers for reason in checker(concerned, action)]


def page_only(page: Page) -> QuerySet[Page]:
    """Just ``page``."""
    return Page.objects.filter(pk=page.pk)


def reasons_against_publishing(page: Page) -> list[str]:
    """What is missing before ``page`` (its newest draft) may be published."""
    draft = page.get_latest_revision_as_object()
    if isinstance(draft, ZonedPage) and draft.needs_job and not draft.job:
        return [_("“%(title)s” has no job yet: say what it helps its reader do.") % {"title": draft.title}]
    return []


def warnings_about(page: Page) -> list[str]:
    """What is allowed and yet probably a mistake: distributors sell to resellers, selling is the resellers' job."""
    specific = page.specific
    if isinstance(specific, ZonedPage) and specific.job == Job.SELL and access.level_of(page) == Level.DISTRIBUTOR:
        return [
            _("“%(title)s” helps to sell, but lies at the distributor level, where resellers never see it.")
            % {"title": page.title}
        ]
    return []
