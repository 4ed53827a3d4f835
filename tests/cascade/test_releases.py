from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import LinkStatus, Role
from accounts.models import NetworkLink
from accounts.policies import NotAllowed
from cascade import releases
from cascade.audience import Audience
from cascade.enums import CascadeState, Goal, HopState, LedgerKind, Tier, WaveKind, WaveState
from cascade.models import Cascade, CascadeContent, Hop, LedgerEvent, Wave
from tests.factories.accounts import NetworkLinkFactory, OrganizationFactory, member
from tests.factories.cascade import (
    AnnouncementPageFactory,
    CascadeFactory,
    HopFactory,
    WaveFactory,
)
from tests.factories.cms import block, trees


def dates(pass_on_in: int = 7, due_in: int = 21) -> dict:
    now = timezone.now()
    return {"pass_on_by": now + timedelta(days=pass_on_in), "due_at": now + timedelta(days=due_in)}


def codes(problems) -> set[str]:
    return {problem.code for problem in problems if problem.is_blocking}


@pytest.fixture
def page(vendor):
    return AnnouncementPageFactory(title="Firmware 9")


@pytest.fixture
def draft(page, vendor_editor, distributor):
    return releases.draft(page, by=vendor_editor, **dates())


# --- check ------------------------------------------------------------------------------------------------------
def test_check_release_when_all_is_well_finds_nothing(page, distributor, distributor_manager):
    assert releases.check_release(page, goal=Goal.READ, distributors=[distributor], **dates()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"publish": False}, "unpublished"),
        ({"job": ""}, "job"),
        ({"body": []}, "empty"),
        ({"body": [block("rich_text", "<p> </p>"), block("heading", "")]}, "empty"),
    ],
)
def test_check_release_when_the_page_is_not_ready_says_so(distributor, change, code):
    page = AnnouncementPageFactory(**change)
    problems = releases.check_release(page, goal=Goal.READ, distributors=[distributor], **dates())
    assert codes(problems) == {code}
    assert {problem.part for problem in problems if problem.is_blocking} == {"page"}


def test_check_release_when_the_page_is_at_the_distributor_level_says_so(distributor):
    page = AnnouncementPageFactory(parent=trees().distributors)
    assert codes(releases.check_release(page, goal=Goal.READ, distributors=[distributor], **dates())) == {"level"}


def test_check_release_when_the_page_is_not_cascadable_says_so(distributor):
    home = trees().resellers
    assert "kind" in codes(releases.check_release(home, goal=Goal.READ, distributors=[distributor], **dates()))


@pytest.mark.parametrize(
    ("pass_on_in", "due_in", "expected"),
    [(-1, 21, {"pass_on_past"}), (-3, -2, {"pass_on_past", "due_past"}), (9, 8, {"due_order"})],
)
def test_check_release_when_dates_make_no_sense_says_so(page, distributor, pass_on_in, due_in, expected):
    problems = releases.check_release(page, goal=Goal.READ, distributors=[distributor], **dates(pass_on_in, due_in))
    assert codes(problems) == expected


def test_check_release_when_the_page_has_no_such_goal_says_so(page, distributor):
    assert codes(releases.check_release(page, goal=Goal.PASSED, distributors=[distributor], **dates())) == {"goal"}


def test_check_release_when_nobody_or_somebody_without_a_link_is_chosen_says_so(page, distributor):
    stray = OrganizationFactory(name="Stray")
    assert codes(releases.check_release(page, goal=Goal.READ, distributors=[], **dates())) == {"nobody"}
    problems = releases.check_release(page, goal=Goal.READ, distributors=[distributor, stray], **dates())
    assert codes(problems) == {"inactive"}
    assert "Stray" in problems[0].message


def test_check_release_warns_of_distributors_where_nobody_can_sign_in(page, distributor):
    problems = releases.check_release(page, goal=Goal.READ, distributors=[distributor], **dates())
    assert [(problem.code, problem.is_blocking) for problem in problems] == [("nobody_there", False)]


# --- release ----------------------------------------------------------------------------------------------------
def test_release_offers_the_item_and_tells_the_distributors(draft, page, vendor, vendor_editor, distributor):
    other = OrganizationFactory()
    NetworkLinkFactory(upstream=vendor, downstream=other)

    released = releases.release(draft, [distributor, other], by=vendor_editor)

    assert (released.state, released.topic) == (CascadeState.OPEN, "news")
    assert released.released_at is not None
    own = released.hops.get(tier=Tier.DISTRIBUTORS)
    assert own.organization == vendor
    offered = released.hops.of_distributors()
    assert {(hop.organization, hop.state, hop.parent) for hop in offered} == {
        (distributor, HopState.OFFERED, own),
        (other, HopState.OFFERED, own),
    }
    content = CascadeContent.objects.get(cascade=released)
    assert (content.page_id, content.revision) == (page.pk, page.live_revision)
    wave = Wave.objects.get(hop=own)
    assert (wave.kind, wave.state) == (WaveKind.INITIAL, WaveState.SCHEDULED)
    assert set(Audience.from_json(wave.audience).organizations) == {distributor.pk, other.pk}
    assert wave.scheduled_at <= timezone.now()
    kinds = sorted(released.events.values_list("kind", flat=True))
    assert kinds == [LedgerKind.OFFERED, LedgerKind.OFFERED, LedgerKind.RELEASED]


def test_release_twice_is_one_release(draft, vendor_editor, distributor):
    releases.release(draft, [distributor], by=vendor_editor)
    releases.release(Cascade.objects.get(pk=draft.pk), [distributor], by=vendor_editor)
    assert Wave.objects.filter(hop__cascade=draft).count() == 1
    assert draft.hops.of_distributors().count() == 1
    assert LedgerEvent.objects.filter(cascade=draft, kind=LedgerKind.RELEASED).count() == 1


def test_release_when_refused_changes_nothing(page, vendor_editor, distributor):
    draft = releases.draft(page, by=vendor_editor, **dates(-1))
    with pytest.raises(releases.NotReleasable) as refused:
        releases.release(draft, [distributor], by=vendor_editor)
    assert {problem.code for problem in refused.value.problems} == {"pass_on_past"}
    draft.refresh_from_db()
    assert draft.state == CascadeState.DRAFT
    assert not draft.hops.of_distributors().exists()
    assert not Wave.objects.exists()


def test_release_carries_every_published_translation(draft, page, vendor_editor, distributor):
    from wagtail.models import Locale

    german = Locale.objects.get_or_create(language_code="de")[0]
    copy = page.copy_for_translation(german, copy_parents=True)
    copy.save_revision().publish()
    releases.release(draft, [distributor], by=vendor_editor)
    assert set(draft.contents.values_list("locale__language_code", "page")) == {("en", page.pk), ("de", copy.pk)}


@pytest.mark.parametrize("role", [None, Role.MEMBER])
def test_release_by_who_does_not_manage_the_vendor_is_refused(draft, vendor, distributor, distributor_manager, role):
    person = member(vendor, role) if role else distributor_manager
    with pytest.raises(NotAllowed):
        releases.release(draft, [distributor], by=person)


def test_draft_is_seen_by_the_vendor_only(draft, vendor_editor, distributor_manager):
    assert list(Cascade.objects.visible_to(vendor_editor)) == [draft]
    assert list(Cascade.objects.visible_to(distributor_manager)) == []


def test_discard_throws_a_draft_away_and_refuses_a_release(draft, vendor_editor, distributor):
    released = releases.release(draft, [distributor], by=vendor_editor)
    with pytest.raises(releases.NotPossible):
        releases.discard(released, by=vendor_editor)
    second = releases.draft(releases.source_page(released), by=vendor_editor, **dates())
    releases.discard(second, by=vendor_editor)
    assert list(Cascade.objects.all()) == [released]


# --- whom -------------------------------------------------------------------------------------------------------
def test_chosen_distributors_by_tag_by_name_and_all(vendor, distributor):
    gold = OrganizationFactory()
    NetworkLinkFactory(upstream=vendor, downstream=gold, tags=["Gold"])
    paused = OrganizationFactory()
    NetworkLinkFactory(upstream=vendor, downstream=paused, status=LinkStatus.PAUSED)
    tag = vendor.network_tags.get()
    assert set(releases.chosen_distributors(Audience())) == {distributor, gold}
    assert set(releases.chosen_distributors(Audience(tags=(tag.pk,)))) == {gold}
    assert set(releases.chosen_distributors(Audience(organizations=(paused.pk, distributor.pk)))) == {distributor}


# --- afterwards -------------------------------------------------------------------------------------------------
def test_widen_offers_to_new_distributors_only(vendor, vendor_editor, distributor, other_distributor):
    cascade = CascadeFactory(distributors=[distributor])
    assert releases.widen(cascade, [distributor, other_distributor], by=vendor_editor) == 1
    assert releases.widen(cascade, [distributor, other_distributor], by=vendor_editor) == 0
    wave = Wave.objects.get(hop__cascade=cascade)
    assert Audience.from_json(wave.audience).organizations == (other_distributor.pk,)
    assert Hop.objects.get(cascade=cascade, organization=other_distributor).state == HopState.OFFERED


def test_widen_to_who_has_no_active_link_is_refused(vendor_editor, distributor):
    cascade = CascadeFactory()
    NetworkLink.objects.update(status=LinkStatus.ENDED)
    with pytest.raises(releases.NotPossible):
        releases.widen(cascade, [distributor], by=vendor_editor)


def test_extend_moves_dates_and_keeps_what_was(vendor_editor):
    cascade = CascadeFactory()
    new = dates(14, 30)
    releases.extend(cascade, by=vendor_editor, **new)
    cascade.refresh_from_db()
    assert (cascade.pass_on_by, cascade.due_at) == (new["pass_on_by"], new["due_at"])
    assert cascade.events.get().kind == LedgerKind.EXTENDED


def test_extend_lets_a_passed_date_stand_but_sets_none_in_the_past(vendor_editor):
    passed = timezone.now() - timedelta(days=1)
    cascade = CascadeFactory(pass_on_by=passed)
    releases.extend(cascade, pass_on_by=passed, due_at=timezone.now() + timedelta(days=40), by=vendor_editor)
    with pytest.raises(releases.NotPossible):
        releases.extend(cascade, pass_on_by=passed - timedelta(days=1), due_at=cascade.due_at, by=vendor_editor)


def test_duplicate_makes_a_draft_of_the_same_item(vendor_editor, distributor):
    cascade = CascadeFactory(distributors=[distributor], goal=Goal.READ)
    copy = releases.duplicate(cascade, by=vendor_editor)
    assert copy.state == CascadeState.DRAFT
    assert copy.goal == Goal.READ
    assert releases.source_page(copy) == releases.source_page(cascade)
    assert copy.pass_on_by > timezone.now() + timedelta(days=6)


def test_nudge_mails_only_who_has_not_passed_it_on_and_only_once(vendor_editor):
    cascade = CascadeFactory()
    late, declined, sent = (HopFactory(cascade=cascade, **{k: True} if k else {}) for k in ("", "declined", "sent"))
    assert releases.nudge([late, declined, sent], by=vendor_editor) == 1
    wave = Wave.objects.get(hop__cascade=cascade)
    assert (wave.kind, wave.hop.tier) == (WaveKind.REMINDER, Tier.DISTRIBUTORS)
    assert Audience.from_json(wave.audience).organizations == (late.organization_id,)
    with pytest.raises(releases.NotPossible):
        releases.nudge([late], by=vendor_editor)
    assert Wave.objects.count() == 1


def test_close_and_recall_let_nothing_more_leave(vendor_editor, distributor):
    cascade = CascadeFactory(distributors=[distributor])
    hop = cascade.hops.of_distributors().get()
    waiting, leaving = WaveFactory(hop=hop, scheduled=True), WaveFactory(hop=hop, frozen=True)

    releases.close(cascade, by=vendor_editor)
    releases.recall(cascade, "The price was wrong.", by=vendor_editor)

    cascade.refresh_from_db()
    waiting.refresh_from_db()
    leaving.refresh_from_db()
    assert (cascade.state, cascade.recall_reason) == (CascadeState.RECALLED, "The price was wrong.")
    assert waiting.state == WaveState.CANCELLED
    assert leaving.state == WaveState.CANCELLED
    assert sorted(cascade.events.values_list("kind", flat=True)) == [LedgerKind.CLOSED, LedgerKind.RECALLED]


def test_recall_without_a_reason_or_of_a_draft_is_refused(draft, vendor_editor):
    with pytest.raises(releases.NotPossible):
        releases.recall(CascadeFactory(), "  ", by=vendor_editor)
    with pytest.raises(releases.NotPossible):
        releases.recall(draft, "No.", by=vendor_editor)


@pytest.mark.parametrize("verb", ["widen", "extend", "close"])
def test_verbs_on_a_recalled_cascade_are_refused(vendor_editor, distributor, verb):
    cascade = CascadeFactory(recalled=True)
    arguments = {"widen": ([distributor],), "extend": (), "close": ()}[verb]
    with pytest.raises(releases.NotPossible):
        getattr(releases, verb)(cascade, *arguments, by=vendor_editor, **(dates() if verb == "extend" else {}))
