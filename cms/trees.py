"""The two content trees: one per level, below the site's root page."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, PageViewRestriction, Site

from accounts.groups import level_group
from cms import access
from cms.enums import Level
from cms.models import AccessRule, LevelHomePage


@dataclass(frozen=True)
class Trees:
    """The roots of the content."""

    root: Page
    distributors: LevelHomePage
    resellers: LevelHomePage


@transaction.atomic
def ensure_trees() -> Trees:
    """Make what is missing of the site, its two level homes, their access rules and their second wall.

    Safe to repeat; nothing that an editor changed is touched.
    """
    root = _site_root()
    return Trees(root, _level_home(root, Level.DISTRIBUTOR), _level_home(root, Level.RESELLER))


def ensure_level_rule(home: LevelHomePage) -> AccessRule:
    """The rule "this level's people" of a level home, held by the groups of the tiers that may look into it.

    Distributors hold the reseller level's rule as well: they preview what their resellers get.
    """
    rule = AccessRule.objects.filter(root=home, level=home.level).first()
    if rule is None:
        rule = AccessRule.objects.create(root=home.page_ptr, level=home.level, name=str(Level(home.level).label))
        access.grant(rule, *_holders(home.level))
    return rule


def _holders(level: str) -> list:
    kinds = [Level.DISTRIBUTOR] if level == Level.DISTRIBUTOR else [Level.RESELLER, Level.DISTRIBUTOR]
    return [level_group(kind) for kind in kinds]


def _site_root() -> Page:
    """The root page of the default site; the sample page that Wagtail's migrations leave becomes it."""
    site = Site.objects.filter(is_default_site=True).select_related("root_page").first()
    if site is not None:
        root = site.root_page
    else:
        top = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
        root = top.add_child(instance=Page(title=settings.WAGTAIL_SITE_NAME, slug="site", locale=_locale()))
        site = Site.objects.create(hostname="localhost", root_page=root, is_default_site=True)
    if root.title.startswith("Welcome to your new Wagtail"):
        root.title = root.draft_title = settings.WAGTAIL_SITE_NAME
        root.save()
    if not site.site_name:
        site.site_name = settings.WAGTAIL_SITE_NAME
        site.save()
    return root


def _level_home(root: Page, level: Level) -> LevelHomePage:
    home = LevelHomePage.objects.child_of(root).filter(level=level).first()
    if home is None:
        titles = {Level.DISTRIBUTOR: _("For distributors"), Level.RESELLER: _("For resellers")}
        slugs = {Level.DISTRIBUTOR: "distributors", Level.RESELLER: "resellers"}
        home = root.add_child(
            instance=LevelHomePage(title=titles[level], slug=slugs[level], level=level, locale=root.locale)
        )
    ensure_level_rule(home)
    # The second wall, asked by Wagtail itself: two in all, so it costs nothing; organizations never get one.
    PageViewRestriction.objects.get_or_create(
        page=home.page_ptr, defaults={"restriction_type": PageViewRestriction.LOGIN}
    )
    return home


def _locale() -> Locale:
    return Locale.objects.get_or_create(language_code=settings.LANGUAGE_CODE)[0]
