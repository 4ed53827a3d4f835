"""Content: trees, pages with zones, access rules."""

from __future__ import annotations

import uuid
from typing import Any

import factory
from factory.django import DjangoModelFactory
from wagtail.models import Page

from cms.enums import Editable, Job, Level, Presence
from cms.models import AccessRule, ContentPage, ResourcePage, SectionPage
from cms.trees import Trees, ensure_trees


def block(kind: str, content: Any, *, key: str = "", editable: str = Editable.LOCKED, **settings: Any) -> dict:
    """One block of a body in raw form; ``key`` is its id, made up when not given."""
    value = {"content": content, "editable": editable, "presence": settings.pop("presence", Presence.ALWAYS)}
    return {"type": kind, "id": key or str(uuid.uuid4()), "value": {**value, **settings}}


def open_block(kind: str, content: Any, **settings: Any) -> dict:
    """A block that distributors may edit."""
    return block(kind, content, editable=Editable.OPEN, **settings)


class ZonedPageFactory(DjangoModelFactory):
    """A live page of a tree. ``parent`` defaults to the reseller level's home; ``body`` is a list of ``block()``."""

    class Meta:
        abstract = True

    title = factory.Sequence(lambda n: f"Page {n}")
    job = Job.COMMUNICATE

    @classmethod
    def _create(cls, model_class: type[Page], *args: Any, **kwargs: Any) -> Page:
        parent = kwargs.pop("parent", None) or ensure_trees().resellers
        publish = kwargs.pop("publish", True)
        page = parent.add_child(instance=model_class(live=False, **kwargs))
        if publish:
            page.save_revision().publish(skip_permission_checks=True)
            page.refresh_from_db()
        return page


class SectionPageFactory(ZonedPageFactory):
    class Meta:
        model = SectionPage

    title = factory.Sequence(lambda n: f"Section {n}")


class ContentPageFactory(ZonedPageFactory):
    class Meta:
        model = ContentPage


class ResourcePageFactory(ZonedPageFactory):
    class Meta:
        model = ResourcePage

    title = factory.Sequence(lambda n: f"Resource {n}")


class AccessRuleFactory(DjangoModelFactory):
    """A rule on ``root`` that nobody holds yet; see ``cms.access.grant``."""

    class Meta:
        model = AccessRule

    name = factory.Sequence(lambda n: f"Rule {n}")


def republish(page: Page, **changes: Any) -> Page:
    """Change ``page`` as the vendor would: a new revision, published. ``body`` may be a list of ``block()``."""
    page = page.specific_class.objects.get(pk=page.pk)
    for name, value in changes.items():
        setattr(page, name, value)
    page.save_revision().publish(skip_permission_checks=True)
    return page.specific_class.objects.get(pk=page.pk)


def trees() -> Trees:
    """Both trees, made when missing."""
    return ensure_trees()


__all__ = [
    "AccessRuleFactory",
    "ContentPageFactory",
    "Level",
    "ResourcePageFactory",
    "SectionPageFactory",
    "ZonedPageFactory",
    "block",
    "open_block",
    "republish",
    "trees",
]
