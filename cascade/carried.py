"""Pages that cascades carry: why one must not be deleted, moved or unpublished."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from wagtail.models import Page

from cascade.enums import CascadeState
from cascade.models import CascadeContent


def reasons_against(pages: QuerySet[Page], action: Literal["delete", "move", "unpublish"]) -> Iterator[str]:
    """One reason for each page of ``pages`` and cascade that holds on to it.

    Deleting: any cascade, whatever its state, because its page is evidence of what was released. Moving and
    unpublishing: an open one, because its readers are on their way to the page.
    """
    contents = CascadeContent.objects.filter(page__in=pages.values("pk")).select_related("cascade", "page")
    if action != "delete":
        contents = contents.filter(cascade__state=CascadeState.OPEN)
    for content in contents.order_by("page__path", "pk"):
        names = {"page": content.page.title, "cascade": content.cascade.name}
        if content.cascade.state == CascadeState.OPEN:
            yield _("“%(page)s” is on its way in the cascade “%(cascade)s”. Close or recall the cascade first.") % names
        elif content.cascade.state == CascadeState.DRAFT:
            yield _("“%(page)s” is in the draft cascade “%(cascade)s”. Delete the draft first.") % names
        else:
            yield (
                _("“%(page)s” was released in the cascade “%(cascade)s” and is kept as evidence; unpublish it instead.")
                % names
            )
