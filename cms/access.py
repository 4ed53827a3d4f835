"""Who may see which page: one answer for page, listing, search, file, image, preview and mail link.

Three things must hold: the page is live; every access rule on it and its ancestors is held (guardian rows of the
person or their groups); and, for a kind of page that is cascaded, it was passed on to them. The last is known to the
app above, which registers a provider. No rule at all means invisible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm
from wagtail.models import Page
from wagtail.query import PageQuerySet

from accounts.groups import level_group
from accounts.models import Organization, User
from accounts.policies import Decision, Policy
from cms.models import AccessRule, AccessRuleGroupPermission, AccessRuleUserPermission, LevelHomePage, PageAccess

if TYPE_CHECKING:
    from wagtail.models import Page as WagtailPage

VIEW = "view_accessrule"

PagesFor = Callable[[User], "QuerySet | Iterable[int]"]
OrganizationsOf = Callable[["WagtailPage"], "QuerySet[Organization]"]


@dataclass(frozen=True)
class Provider:
    """Tells which pages of one kind were passed on to a person, and to which organizations a page was."""

    model: type[models.Model]
    pages: PagesFor
    organizations: OrganizationsOf | None = None


_providers: list[Provider] = []


def register_provider(model: type[models.Model], pages: PagesFor, organizations: OrganizationsOf | None = None) -> None:
    """Let ``pages(user)`` (a queryset of page ids, used as a subquery) decide which pages of ``model`` and its
    subclasses ``user`` may see; ``organizations(page)`` names whom a page was passed on to, for vendor staff."""
    _providers[:] = [provider for provider in _providers if provider.model is not model]
    _providers.append(Provider(model, pages, organizations))


def held_rules(user: User) -> QuerySet[AccessRule]:
    """Rules ``user`` holds themselves or through a group. Unevaluated: made to be a subquery."""
    if not user.is_active:
        return AccessRule.objects.none()
    return get_objects_for_user(user, f"cms.{VIEW}", klass=AccessRule, accept_global_perms=False, with_superuser=False)


def visible_pages(user: User | AnonymousUser) -> PageQuerySet:
    """Live pages that ``user`` may see; vendor staff see all live pages. Made of ``pk__in`` subqueries, so that
    Wagtail's search accepts it; costs no query of its own beyond asking once whether the person is vendor staff."""
    if isinstance(user, AnonymousUser) or not user.is_authenticated or not user.is_active:
        return Page.objects.none()
    live = Page.objects.live()
    if user.is_vendor:
        return live
    held = held_rules(user).values("pk")
    covered = PageAccess.objects.filter(rule__in=held).values("page_id")
    refused = PageAccess.objects.exclude(rule__in=held).values("page_id")
    return live.filter(pk__in=covered).exclude(pk__in=refused).filter(_passed_on(user))


def can_see(user: User | AnonymousUser, page: Page) -> bool:
    """Whether ``user`` may see ``page``."""
    return visible_pages(user).filter(pk=page.pk).exists()


def _passed_on(user: User) -> Q:
    """Ordinary pages, and cascadable ones that a provider names."""
    condition = ~Q(content_type__in=_content_types(lambda model: getattr(model, "is_cascadable", False)))
    for provider in _providers:
        types = _content_types(lambda model, base=provider.model: issubclass(model, base))  # type: ignore[misc]
        condition |= Q(content_type__in=types, pk__in=provider.pages(user))
    return condition


def _content_types(wanted: Callable[[type[models.Model]], bool]) -> list[int]:
    found = [model for model in apps.get_models() if issubclass(model, Page) and wanted(model)]
    return [content_type.pk for content_type in ContentType.objects.get_for_models(*found).values()]


# --- why, and who -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleHolders:
    """A rule that covers a page and who holds it."""

    rule: AccessRule
    groups: tuple[Group, ...]
    users: tuple[User, ...]


@dataclass(frozen=True)
class PageAudience:
    """Who can see a page: everybody who holds all of ``rules``; a cascaded page only those it was passed on to."""

    page: Page
    is_live: bool
    is_cascadable: bool
    rules: tuple[RuleHolders, ...]
    people: QuerySet[User]
    organizations: QuerySet[Organization] | None = field(default=None)


def explain_page(user: User | AnonymousUser, page: Page) -> Decision:
    """Whether ``user`` may see ``page``, with every condition that was looked at, outermost first."""
    if isinstance(user, AnonymousUser) or not user.is_authenticated:
        return Decision(False, (_("Nobody is signed in."),))
    if not user.is_active:
        return Decision(False, (_("The account is not active."),))
    if not page.live:
        return Decision(False, (_("The page is not published."),))
    if user.is_vendor:
        return Decision(True, (_("The page is published."), _("Vendor staff see every published page.")))
    groups: set[int | None] = set(user.groups.values_list("pk", flat=True))
    reasons, allowed = [_("The page is published.")], True
    chain = rules_of(page)
    for holders in chain:
        reason, holds = _explain_rule(holders, groups, user)
        reasons.append(reason)
        allowed = allowed and holds
    if not chain:
        return Decision(False, (*reasons, _("No access rule covers the page, so nobody outside the vendor sees it.")))
    if allowed and is_cascadable(page):
        allowed = can_see(user, page)
        reasons.append(_passed_on_reason(allowed))
    return Decision(allowed, tuple(reasons))


def _explain_rule(holders: RuleHolders, groups: set[int | None], user: User | None) -> tuple[str, bool]:
    names = {"rule": holders.rule.name, "page": holders.rule.root.title}
    through = [group.name for group in holders.groups if group.pk in groups]
    if through:
        return _("“%(rule)s” on “%(page)s”: held through %(group)s.") % {**names, "group": ", ".join(through)}, True
    if user is not None and any(holder.pk == user.pk for holder in holders.users):
        return _("“%(rule)s” on “%(page)s”: given to them personally.") % names, True
    return _("“%(rule)s” on “%(page)s”: not held.") % names, False


def explain_organization(organization: Organization, page: Page) -> Decision:
    """Whether the people of ``organization`` may see ``page`` as its members, with every condition looked at.

    What single people hold beyond that (personal grants, program groups) is theirs and not the organization's.
    """
    if not page.live:
        return Decision(False, (_("The page is not published."),))
    if organization.is_vendor:
        return Decision(True, (_("The page is published."), _("Vendor staff see every published page.")))
    groups = {level_group(organization.kind).pk, organization.group_id}
    members = organization.memberships.filter(user__is_active=True)
    shared = Group.objects.filter(user__memberships__in=members).annotate(held=Count("user", distinct=True))
    groups |= set(shared.filter(held=members.count()).values_list("pk", flat=True))
    reasons, allowed = [_("The page is published.")], True
    chain = rules_of(page)
    for holders in chain:
        reason, holds = _explain_rule(holders, groups, None)
        reasons.append(reason)
        allowed = allowed and holds
    if not chain:
        return Decision(False, (*reasons, _("No access rule covers the page, so nobody outside the vendor sees it.")))
    if allowed and is_cascadable(page):
        allowed = _given_to(page).filter(pk=organization.pk).exists()
        reasons.append(_passed_on_reason(allowed))
    return Decision(allowed, tuple(reasons))


def _passed_on_reason(passed_on: bool) -> str:
    return _("The item was passed on to them.") if passed_on else _("The item was not passed on to them, or not yet.")


def _given_to(page: Page) -> QuerySet[Organization]:
    """Organizations a cascadable page was passed on to, as its provider says; none without one."""
    model = page.specific_class
    provider = next((one for one in _providers if model and issubclass(model, one.model)), None)
    return provider.organizations(page) if provider and provider.organizations else Organization.objects.none()


def who_can_see(page: Page) -> PageAudience:
    """Who can see ``page``, rule by rule, and the people who hold all of them."""
    chain = rules_of(page)
    people = User.objects.filter(is_active=True) if chain else User.objects.none()
    for holders in chain:
        people = people.filter(
            Q(pk__in=[user.pk for user in holders.users])
            | Q(pk__in=User.groups.through.objects.filter(group__in=holders.groups).values("user_id"))
        )
    cascadable = is_cascadable(page)
    organizations = None
    if cascadable:
        organizations = _given_to(page)
        people = people.filter(memberships__organization__in=organizations.values("pk")).distinct()
    return PageAudience(page, page.live, cascadable, tuple(chain), people, organizations)


def rules_of(page: Page) -> list[RuleHolders]:
    """The rules that cover ``page``, outermost first, with their holders. Three queries."""
    rules = list(AccessRule.objects.filter(pages__page=page.pk).select_related("root").order_by("root__path", "pk"))
    by_group = AccessRuleGroupPermission.objects.filter(content_object__in=rules, permission__codename=VIEW)
    by_user = AccessRuleUserPermission.objects.filter(content_object__in=rules, permission__codename=VIEW)
    groups: dict[int, list[Group]] = {}
    users: dict[int, list[User]] = {}
    for group_row in by_group.select_related("group").order_by("group__name"):
        groups.setdefault(group_row.content_object_id, []).append(group_row.group)
    for user_row in by_user.select_related("user").order_by("user__email"):
        users.setdefault(user_row.content_object_id, []).append(user_row.user)
    return [RuleHolders(rule, tuple(groups.get(rule.pk, ())), tuple(users.get(rule.pk, ()))) for rule in rules]


def is_cascadable(page: Page) -> bool:
    """Whether the page is of a kind that reaches people only by being passed on."""
    return bool(getattr(page.specific_class, "is_cascadable", False))


def level_of(page: Page) -> str:
    """The level of the tree ``page`` lies in: that of the nearest level home; empty outside both trees."""
    home = LevelHomePage.objects.ancestor_of(page, inclusive=True).order_by("-depth").first()
    return home.level if home else ""


# --- rules --------------------------------------------------------------------------------------------------------


def grant(rule: AccessRule, *holders: Group | User) -> None:
    """Let ``holders`` hold ``rule``."""
    for holder in holders:
        assign_perm(VIEW, holder, rule)


def revoke(rule: AccessRule, *holders: Group | User) -> None:
    """Take ``rule`` away from ``holders``."""
    for holder in holders:
        remove_perm(VIEW, holder, rule)


# --- the materialized rows ----------------------------------------------------------------------------------------


def sync_page(page: Page) -> None:
    """Make the rows of ``page`` true; when they were not, those of everything below it too. Called in the page's own
    transaction on each save, which a create, copy and move all are. A page that stays where it is costs two queries."""
    expected = set(AccessRule.objects.filter(root__path__in=_paths_above(page.path)).values_list("pk", flat=True))
    actual = set(PageAccess.objects.filter(page=page.pk).values_list("rule_id", flat=True))
    if expected != actual:
        rebuild(page)


def rebuild(below: Page | None = None) -> tuple[int, int]:
    """Make the rows of a subtree, or of all pages, true. Returns how many were added and removed."""
    with transaction.atomic():
        missing, wrong = differences(below)
        PageAccess.objects.filter(pk__in=wrong).delete()
        PageAccess.objects.bulk_create(
            [PageAccess(page_id=page, rule_id=rule) for page, rule in missing], batch_size=300, ignore_conflicts=True
        )
    return len(missing), len(wrong)


def differences(below: Page | None = None) -> tuple[list[tuple[int, int]], list[int]]:
    """(page, rule) pairs without a row, and ids of rows without a reason; both empty when all is true."""
    pages = Page.objects.all() if below is None else Page.objects.filter(path__startswith=below.path)
    rows = PageAccess.objects.all() if below is None else PageAccess.objects.filter(page__path__startswith=below.path)
    rules: dict[str, list[int]] = {}
    for pk, path in AccessRule.objects.values_list("pk", "root__path"):
        rules.setdefault(path, []).append(pk)
    expected = {
        (page, rule) for page, path in pages.values_list("pk", "path") for above in _paths_above(path)
        for rule in rules.get(above, ())
    }  # fmt: skip
    actual = {(page, rule): pk for pk, page, rule in rows.values_list("pk", "page_id", "rule_id")}
    return sorted(expected - actual.keys()), sorted(pk for pair, pk in actual.items() if pair not in expected)


def _paths_above(path: str) -> list[str]:
    """The tree paths of a page and its ancestors, from the root down."""
    step = Page.steplen
    return [path[:end] for end in range(step, len(path) + 1, step)]


# --- policies -----------------------------------------------------------------------------------------------------


class PagePolicy(Policy):
    """Seeing a page, and adapting one that one sees. Editing follows Wagtail's own group permissions."""

    def decide(self, user: User, action: str, obj: Page) -> Decision:
        """``view`` as ``explain_page``; ``adapt`` for who manages a distributor and sees the page."""
        if action == "view":
            return explain_page(user, obj)
        if action == "adapt":
            seen = explain_page(user, obj)
            manages = any(user.manages(organization) for organization in _distributors(user))
            reason = _("They manage a distributor.") if manages else _("They do not manage a distributor.")
            return Decision(seen.allowed and manages, (*seen.reasons, reason))
        return super().decide(user, action, obj)


class AdaptationPolicy(Policy):
    """An adaptation is its organization's own."""

    def decide(self, user: User, action: str, obj: models.Model) -> Decision:
        """``change`` for who manages the organization; ``view`` for its people."""
        if action == "change":
            manages = user.manages(obj.organization_id)  # type: ignore[attr-defined]
            return Decision(
                manages, (_("They manage the organization.") if manages else _("They do not manage the organization."),)
            )
        return super().decide(user, action, obj)


class AccessRulePolicy(Policy):
    """Rules are the vendor's; Wagtail's model permissions say which staff may change them."""

    def decide(self, user: User, action: str, obj: models.Model) -> Decision:
        """``view``, ``change``, ``delete`` as the model permission of that name, for vendor staff only."""
        allowed = user.is_vendor and user.has_perm(f"cms.{action}_accessrule")
        return Decision(allowed, (_("Vendor staff with the permission.") if allowed else _("Only vendor staff may."),))


def _distributors(user: User) -> list[Organization]:
    return [
        membership.organization
        for membership in user.memberships.select_related("organization")
        if membership.organization.is_distributor
    ]
