"""The vendor's verbs: prepare a release, check it, release, widen, extend, nudge, close, recall, duplicate.

A draft is a ``Cascade`` with its page and the vendor's own hop, whose ``audience`` keeps which distributors were
chosen. Releasing offers it: a hop per distributor, a notice to their people, the revision as evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from accounts import policies
from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import Membership, NetworkLink, Organization
from cascade import ledger, tasks, waves
from cascade.audience import Audience
from cascade.enums import CascadeState, Goal, GoalScope, HopState, LedgerKind, Tier, WaveKind, WaveState
from cascade.hops import NotPossible
from cascade.interfaces import CascadablePage
from cascade.models import Cascade, CascadeContent, Hop, LedgerEvent, Wave
from cms import mail_images
from cms.access import level_of
from cms.enums import Level

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

NUDGE_PAUSE = timedelta(hours=1)  # a distributor nudged within it is not mailed again
DRAFT_FIELDS = frozenset(
    {"name", "reason", "goal", "goal_scope", "goal_function", "is_mandatory", "pass_on_by", "due_at"}
)
_NAMES_SHOWN = 3


class NotReleasable(Exception):
    """The cascade cannot be released as it is; ``problems`` say why, in words for the vendor."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in problems))


@dataclass(frozen=True)
class Problem:
    """What is wrong with a release. ``part`` says where it is mended: page, dates, goal or distributors.

    A blocking problem refuses the release; any other is a warning.
    """

    code: str
    message: str
    part: str
    is_blocking: bool = True


# --- checks ------------------------------------------------------------------------------------------------------
def check_release(
    page: Page,
    *,
    goal: str,
    pass_on_by: datetime,
    due_at: datetime,
    distributors: Iterable[Organization],
    now: datetime | None = None,
) -> list[Problem]:
    """What speaks against releasing ``page``, blocking problems first. Empty when nothing does."""
    distributors = list(distributors)
    found = [
        *_page_problems(page.specific),
        *_goal_problems(page.specific, goal),
        *check_dates(pass_on_by, due_at, now=now),
        *_distributor_problems(distributors),
    ]
    return sorted(found, key=lambda problem: not problem.is_blocking)


def check_draft(cascade: Cascade, distributors: Iterable[Organization]) -> list[Problem]:
    """``check_release`` for a saved draft."""
    return check_release(
        source_page(cascade),
        goal=cascade.goal,
        pass_on_by=cascade.pass_on_by,
        due_at=cascade.due_at,
        distributors=distributors,
    )


def _page_problems(page: Page) -> list[Problem]:
    if not isinstance(page, CascadablePage):
        return [Problem("kind", _("This kind of page cannot be released."), "page")]
    found = []
    if not page.live:
        found.append(Problem("unpublished", _("The page is not published."), "page"))
    elif page.has_unpublished_changes:
        message = _("The page has changes that are not published; distributors get the published version.")
        found.append(Problem("unpublished_changes", message, "page", is_blocking=False))
    if level_of(page) != Level.RESELLER:
        found.append(Problem("level", _("The page is not at the reseller level."), "page"))
    if not page.job:
        found.append(Problem("job", _("The page does not say which job it does."), "page"))
    if not has_content(page):
        found.append(Problem("empty", _("The page is empty."), "page"))
    if not page.subject:
        message = _("The page has no e-mail subject; mails carry its title.")
        found.append(Problem("subject", message, "page", is_blocking=False))
    return found


def _goal_problems(page: Page, goal: str) -> list[Problem]:
    if isinstance(page, CascadablePage) and Goal(goal) not in page.goals():
        return [Problem("goal", _("This kind of page has no such goal."), "goal")]
    return []


def check_dates(pass_on_by: datetime, due_at: datetime, *, now: datetime | None = None) -> list[Problem]:
    """What speaks against the two due dates."""
    now = now or timezone.now()
    found = []
    if pass_on_by <= now:
        found.append(Problem("pass_on_past", _("The date for passing it on is in the past."), "dates"))
    if due_at <= now:
        found.append(Problem("due_past", _("The resellers' due date is in the past."), "dates"))
    if due_at < pass_on_by:
        found.append(Problem("due_order", _("Resellers would be due before distributors have to pass it on."), "dates"))
    return found


def _distributor_problems(distributors: list[Organization]) -> list[Problem]:
    if not distributors:
        return [Problem("nobody", _("No distributor is chosen."), "distributors")]
    found = []
    active = set(active_distributors().values_list("pk", flat=True))
    if lost := [one.name for one in distributors if one.pk not in active]:
        message = ngettext(
            "%(names)s has no active link with you.", "%(names)s have no active link with you.", len(lost)
        )
        found.append(Problem("inactive", message % {"names": _listed(lost)}, "distributors"))
    staffed = Membership.objects.filter(user__is_active=True, organization__kind=OrganizationKind.DISTRIBUTOR)
    with_people = set(staffed.values_list("organization_id", flat=True))
    if silent := [one.name for one in distributors if one.pk not in with_people]:
        message = ngettext(
            "Nobody at %(names)s can sign in yet, so nobody gets the notice.",
            "Nobody at %(names)s can sign in yet, so nobody there gets the notice.",
            len(silent),
        )
        found.append(Problem("nobody_there", message % {"names": _listed(silent)}, "distributors", is_blocking=False))
    return found


def _listed(names: list[str]) -> str:
    """The first few names, and how many more."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    if (more := len(names) - _NAMES_SHOWN) > 0:
        return _("%(names)s and %(more)d more") % {"names": shown, "more": more}
    return shown


def has_content(page: CascadablePage) -> bool:
    """Whether the body holds anything but empty blocks."""
    return any(_filled(block["value"].get("content")) for block in page.body.get_prep_value())


def _filled(value: object) -> bool:
    """Whether stored content is more than white space and empty tags."""
    if isinstance(value, dict):
        return any(_filled(part) for part in value.values())
    if isinstance(value, str):
        return bool(strip_tags(value).strip()) or "<embed" in value
    return bool(value)


# --- distributors ------------------------------------------------------------------------------------------------
def vendor() -> Organization:
    """The vendor of this installation."""
    return Organization.objects.get(kind=OrganizationKind.VENDOR)


def active_distributors() -> QuerySet[Organization]:
    """Distributors to whom the vendor's link carries cascades."""
    links = NetworkLink.objects.filter(upstream__kind=OrganizationKind.VENDOR, status=LinkStatus.ACTIVE)
    return Organization.objects.distributors().filter(pk__in=links.values("downstream_id"))


def chosen_distributors(audience: Audience) -> QuerySet[Organization]:
    """Active distributors an audience names: picked ones, else those with one of its tags (the vendor's), else all."""
    distributors = active_distributors()
    if audience.organizations:
        return distributors.filter(pk__in=audience.organizations)
    if audience.tags:
        links = NetworkLink.objects.filter(upstream__kind=OrganizationKind.VENDOR, tags__in=audience.tags)
        return distributors.filter(pk__in=links.values("downstream_id"))
    return distributors


# --- verbs -------------------------------------------------------------------------------------------------------
def draft(
    page: Page,
    *,
    by: User,
    pass_on_by: datetime,
    due_at: datetime,
    name: str = "",
    reason: str = "",
    goal: str = "",
    goal_scope: str = GoalScope.ANYONE,
    goal_function: str = "",
    is_mandatory: bool = False,
    audience: Audience | None = None,
) -> Cascade:
    """Prepare a release of ``page``; nobody but the vendor sees it. ``goal``: empty takes the page's default.

    Raises NotAllowed if ``by`` may not release; NotReleasable when the page is of a kind that cannot be.
    """
    page = page.specific
    if not isinstance(page, CascadablePage):
        raise NotReleasable(_page_problems(page))
    cascade = Cascade(
        name=name or page.title,
        reason=reason,
        goal=goal or page.goals()[0],
        goal_scope=goal_scope,
        goal_function=goal_function,
        is_mandatory=is_mandatory,
        pass_on_by=pass_on_by,
        due_at=due_at,
        topic=page.topic,
        created_by=by,
    )
    policies.require(by, "release", cascade)
    with transaction.atomic():
        cascade.save()
        CascadeContent.objects.create(cascade=cascade, page_id=page.pk, locale_id=page.locale_id)
        Hop.objects.create(
            cascade=cascade,
            organization=vendor(),
            tier=Tier.DISTRIBUTORS,
            state=HopState.ACCEPTED,
            audience=(audience or Audience()).to_json(),
        )
    return cascade


def revise(cascade: Cascade, page: Page, *, by: User, audience: Audience, **settings: Any) -> Cascade:
    """Change a draft: its item, its distributors and any of ``DRAFT_FIELDS``.

    Raises NotAllowed; NotReleasable for a kind of page that cannot be released; NotPossible once it was released.
    """
    policies.require(by, "release", cascade)
    page = page.specific
    if not isinstance(page, CascadablePage):
        raise NotReleasable(_page_problems(page))
    with transaction.atomic():
        cascade = _locked(cascade)
        if cascade.state != CascadeState.DRAFT:
            raise NotPossible(_("It was released in the meantime."))
        for name in DRAFT_FIELDS & settings.keys():
            setattr(cascade, name, settings[name])
        cascade.name = cascade.name or page.title
        cascade.topic = page.topic
        cascade.save(update_fields=[*DRAFT_FIELDS, "topic"])
        if source_page(cascade).pk != page.pk:
            cascade.contents.all().delete()
            CascadeContent.objects.create(cascade=cascade, page_id=page.pk, locale_id=page.locale_id)
        cascade.hops.filter(tier=Tier.DISTRIBUTORS).update(audience=audience.to_json())
    return cascade


def discard(cascade: Cascade, *, by: User) -> None:
    """Throw a draft away. Raises NotAllowed; NotPossible once it was released."""
    policies.require(by, "release", cascade)
    with transaction.atomic():
        cascade = _locked(cascade)
        if cascade.state != CascadeState.DRAFT:
            raise NotPossible(_("It was released; it can be closed or recalled, not thrown away."))
        cascade.delete()


def release(cascade: Cascade, distributors: Iterable[Organization], *, by: User) -> Cascade:
    """Offer a draft to ``distributors`` and tell their people; releasing it again changes nothing.

    Raises NotAllowed if ``by`` may not release; NotReleasable with every problem found.
    """
    policies.require(by, "release", cascade)
    distributors = list(distributors)
    with transaction.atomic():
        cascade = _locked(cascade)
        if cascade.state != CascadeState.DRAFT:
            return cascade
        if blocking := [problem for problem in check_draft(cascade, distributors) if problem.is_blocking]:
            raise NotReleasable(blocking)
        cascade.state, cascade.released_at = CascadeState.OPEN, timezone.now()
        cascade.topic = source_page(cascade).topic
        cascade.save(update_fields=["state", "released_at", "topic"])
        _keep_evidence(cascade)
        hop = vendor_hop(cascade)
        ledger.record(
            cascade,
            LedgerKind.RELEASED,
            key=f"released:{cascade.pk}",
            hop=hop,
            by=by,
            data={"distributors": len(distributors)},
        )
        _offer(hop, distributors, by=by)
    return cascade


def widen(cascade: Cascade, distributors: Iterable[Organization], *, by: User) -> int:
    """Offer an open cascade to more ``distributors``; those who have it already are left alone. How many were added.

    Raises NotAllowed; NotPossible when the cascade is not open or a distributor's link is not active.
    """
    policies.require(by, "release", cascade)
    with transaction.atomic():
        cascade = _locked(cascade)
        _require_open(cascade)
        known = set(cascade.hops.values_list("organization_id", flat=True))
        added = [one for one in distributors if one.pk not in known]
        if not added:
            return 0
        if blocking := [problem for problem in _distributor_problems(added) if problem.is_blocking]:
            raise NotPossible(" ".join(problem.message for problem in blocking))
        hop = vendor_hop(cascade)
        ledger.record(
            cascade,
            LedgerKind.WIDENED,
            key=f"widened:{cascade.pk}:{len(known)}",
            hop=hop,
            by=by,
            data={"distributors": len(added)},
        )
        _offer(hop, added, by=by)
    return len(added)


def extend(cascade: Cascade, *, pass_on_by: datetime, due_at: datetime, by: User) -> Cascade:
    """Move the due dates of an open cascade, in either direction but never into the past.

    Raises NotAllowed; NotPossible with the reason when it is not open or the dates make no sense.
    """
    policies.require(by, "release", cascade)
    with transaction.atomic():
        cascade = _locked(cascade)
        _require_open(cascade)
        if (pass_on_by, due_at) == (cascade.pass_on_by, cascade.due_at):
            return cascade
        now = timezone.now()
        kept = {  # a date that has passed may stay as it is while the other one moves
            "pass_on_past": pass_on_by == cascade.pass_on_by,
            "due_past": due_at == cascade.due_at,
        }
        if problems := [one for one in check_dates(pass_on_by, due_at, now=now) if not kept.get(one.code)]:
            raise NotPossible(" ".join(problem.message for problem in problems))
        was = {"pass_on_by": cascade.pass_on_by.isoformat(), "due_at": cascade.due_at.isoformat()}
        cascade.pass_on_by, cascade.due_at = pass_on_by, due_at
        cascade.save(update_fields=["pass_on_by", "due_at"])
        ledger.record(
            cascade,
            LedgerKind.EXTENDED,
            key=f"extended:{cascade.pk}:{now.isoformat()}",
            hop=vendor_hop(cascade),
            by=by,
            data={**was, "new_pass_on_by": pass_on_by.isoformat(), "new_due_at": due_at.isoformat()},
        )
    return cascade


def duplicate(cascade: Cascade, *, by: User) -> Cascade:
    """A new draft of the same page with the same settings and distributors, its dates as far ahead as they were."""
    start = cascade.released_at or cascade.created_at
    now = timezone.now()
    given = cascade.hops.of_distributors().values_list("organization_id", flat=True)
    chosen = Audience.from_json(vendor_hop(cascade).audience)
    if not chosen.is_everyone and given:
        chosen = Audience(organizations=tuple(given))
    return draft(
        source_page(cascade),
        by=by,
        name=_("%(name)s (copy)") % {"name": cascade.name[:190]},
        reason=cascade.reason,
        goal=cascade.goal,
        goal_scope=cascade.goal_scope,
        goal_function=cascade.goal_function,
        is_mandatory=cascade.is_mandatory,
        pass_on_by=now + max(cascade.pass_on_by - start, timedelta(days=1)),
        due_at=now + max(cascade.due_at - start, timedelta(days=1)),
        audience=chosen,
    )


def nudge(hops: Iterable[Hop], *, by: User) -> int:
    """Remind the people of distributors that have not passed an open cascade on. How many distributors were nudged.

    Leaves out who declined, has sent, or was nudged within ``NUDGE_PAUSE``. ``hops`` are of one cascade.
    Raises NotAllowed; NotPossible when the cascade is not open or nobody is left to nudge.
    """
    ids = [hop.pk for hop in hops]
    with transaction.atomic():
        recently = LedgerEvent.objects.filter(kind=LedgerKind.NUDGED, at__gt=timezone.now() - NUDGE_PAUSE)
        candidates = not_passed_on(Hop.objects.filter(pk__in=ids)).exclude(pk__in=recently.values("hop_id"))
        found = list(candidates.select_for_update(of=("self",)).order_by("pk"))
        cascades = {hop.cascade_id: hop.cascade for hop in found}
        if len(cascades) != 1:
            raise NotPossible(_("Everybody has passed it on, declined, or was reminded a moment ago."))
        (cascade,) = cascades.values()
        policies.require(by, "release", cascade)
        _require_open(cascade)
        _tell(vendor_hop(cascade), [hop.organization for hop in found], WaveKind.REMINDER, by=by)
        now = timezone.now()
        ledger.record_many(
            LedgerEvent(
                cascade=cascade,
                hop=hop,
                kind=LedgerKind.NUDGED,
                organization_id=hop.organization_id,
                actor=by,
                at=now,
                key=f"nudged:{hop.pk}:{now.isoformat()}",
            )
            for hop in found
        )
    return len(found)


def close(cascade: Cascade, *, by: User) -> Cascade:
    """End an open cascade: nothing more is sent, acts no longer count, everything stays readable. Twice is once.

    Raises NotAllowed; NotPossible for a draft or a recalled cascade.
    """
    policies.require(by, "release", cascade)
    with transaction.atomic():
        cascade = _locked(cascade)
        if cascade.state == CascadeState.CLOSED:
            return cascade
        _require_open(cascade)
        cascade.state, cascade.closed_at = CascadeState.CLOSED, timezone.now()
        cascade.save(update_fields=["state", "closed_at"])
        ledger.record(cascade, LedgerKind.CLOSED, key=f"closed:{cascade.pk}", hop=vendor_hop(cascade), by=by)
        waves.stop_all(cascade, _("The vendor closed this item."))
    return cascade


def recall(cascade: Cascade, reason: str, *, by: User) -> Cascade:
    """Withdraw a released cascade: the item becomes a tombstone with ``reason``, what has not left never leaves.

    Raises NotAllowed; NotPossible without a reason or for a draft. Recalling twice changes nothing.
    """
    policies.require(by, "release", cascade)
    reason = reason.strip()
    if not reason:
        raise NotPossible(_("Say why; distributors and resellers read it in place of the item."))
    with transaction.atomic():
        cascade = _locked(cascade)
        if cascade.state == CascadeState.RECALLED:
            return cascade
        if cascade.state == CascadeState.DRAFT:
            raise NotPossible(_("It was never released, so there is nothing to recall."))
        cascade.state, cascade.recall_reason = CascadeState.RECALLED, reason
        cascade.closed_at = cascade.closed_at or timezone.now()
        cascade.save(update_fields=["state", "recall_reason", "closed_at"])
        ledger.record(cascade, LedgerKind.RECALLED, key=f"recalled:{cascade.pk}", hop=vendor_hop(cascade), by=by)
        waves.stop_all(cascade, _("The vendor recalled this item."))
        transaction.on_commit(partial(mail_images.withdraw, cascade.image_scope))
    return cascade


# --- parts -------------------------------------------------------------------------------------------------------
def source_page(cascade: Cascade) -> CascadablePage:
    """The vendor's page, in the language it was first prepared in."""
    content = cascade.contents.select_related("page").order_by("pk").first()
    if content is None:  # the database protects pages of cascades; a cascade without one was made by hand
        raise NotPossible(_("This cascade carries no page."))
    return content.page.specific


def vendor_hop(cascade: Cascade) -> Hop:
    """The vendor's own step, whose waves tell distributors."""
    return cascade.hops.get(tier=Tier.DISTRIBUTORS)


def not_passed_on(hops: QuerySet[Hop]) -> QuerySet[Hop]:
    """Those of distributors that neither declined nor sent anything yet."""
    return hops.filter(
        tier=Tier.RESELLERS, state__in=[HopState.OFFERED, HopState.ACCEPTED], first_sent_at=None
    ).select_related("organization", "cascade")


def _locked(cascade: Cascade) -> Cascade:
    return Cascade.objects.select_for_update().get(pk=cascade.pk)


def _require_open(cascade: Cascade) -> None:
    if cascade.is_open:
        return
    raise NotPossible(
        {
            CascadeState.DRAFT: _("It has not been released yet."),
            CascadeState.CLOSED: _("It is closed."),
            CascadeState.RECALLED: _("It was recalled."),
        }[CascadeState(cascade.state)]
    )


def _keep_evidence(cascade: Cascade) -> None:
    """Note the live revision of the page and of each published translation."""
    for page in source_page(cascade).get_translations(inclusive=True).live():
        CascadeContent.objects.update_or_create(
            cascade=cascade,
            locale_id=page.locale_id,
            defaults={"page_id": page.pk, "revision_id": page.live_revision_id},
        )


def _offer(hop: Hop, distributors: list[Organization], *, by: User) -> None:
    """Give each distributor its hop and tell its people."""
    hops = Hop.objects.bulk_create(
        [
            Hop(cascade_id=hop.cascade_id, organization=distributor, parent=hop, tier=Tier.RESELLERS)
            for distributor in distributors
        ],
        batch_size=100,
    )
    ledger.record_many(
        LedgerEvent(
            cascade_id=hop.cascade_id,
            hop=offered,
            kind=LedgerKind.OFFERED,
            organization_id=offered.organization_id,
            actor=by,
            key=f"offered:{offered.pk}",
        )
        for offered in hops
    )
    _tell(hop, distributors, WaveKind.INITIAL, by=by)


def _tell(hop: Hop, distributors: Collection[Organization], kind: WaveKind, *, by: User) -> Wave:
    """Have the vendor's notice mailed to the people of ``distributors``: a wave that is due now.

    The row is the order, the task only a bell.
    """
    wave = Wave.objects.create(
        hop=hop,
        kind=kind,
        state=WaveState.SCHEDULED,
        audience=Audience(organizations=tuple(one.pk for one in distributors)).to_json(),
        scheduled_at=timezone.now(),
        base_url=waves.base_url(hop.organization),
        created_by=by,
    )
    tasks.sweep.delay_on_commit()
    return wave
