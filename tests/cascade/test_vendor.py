from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import Role
from accounts.models import Organization
from cascade import counters
from cascade.completion import credit_edges
from cascade.enums import CascadeState, CounterName, Goal, GoalScope
from cascade.models import Cascade, Completion, OrganizationCompletion, Wave
from cascade.progress import Stage, funnel, hop_rows
from tests.factories.accounts import ContactFactory, NetworkLinkFactory, OrganizationFactory, member
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, EdgeFactory, HopFactory, WaveFactory

PAST = timedelta(days=-1)


def url(name: str, *args: int) -> str:
    return reverse(f"cascades:{name}", args=args)


def text(response) -> str:
    assert response.status_code == 200, response
    return response.content.decode()


def table(response) -> list[list[str]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content, newline="")))


@pytest.fixture
def vera(client, vendor_editor):
    """The vendor's marketer, signed in."""
    client.force_login(vendor_editor)
    return client


@pytest.fixture
def cascade(vendor):
    return CascadeFactory(name="Firmware 9")


def form_data(item, **changes):
    now = timezone.localtime()
    return {
        "page": item.pk,
        "name": "",
        "reason": "Old firmware stops.",
        "whom": "all",
        "goal": Goal.ACKNOWLEDGED,
        "goal_scope": GoalScope.ANYONE,
        "goal_function": "",
        "pass_on_by": (now + timedelta(days=7)).strftime("%Y-%m-%d %H:%M"),
        "due_at": (now + timedelta(days=21)).strftime("%Y-%m-%d %H:%M"),
        **changes,
    }


# --- who gets in -------------------------------------------------------------------------------------------------
NAMES = ["detail", "live", "edit", "review", "extend", "widen", "duplicate", "close", "recall", "discard"]


@pytest.mark.parametrize("name", ["index", "index_results", "create", *NAMES])
@pytest.mark.parametrize("who", ["distributor_manager", "reseller_member", "stranger"])
def test_only_the_vendors_people_get_in(client, request, cascade, who, name):
    client.force_login(request.getfixturevalue(who))
    for method in (client.get, client.post):
        response = method(url(name, *([cascade.pk] if name in NAMES else [])))
        assert response.status_code in (302, 403)
        assert b"Firmware 9" not in response.content
    cascade.refresh_from_db()
    assert cascade.state == CascadeState.OPEN


def test_a_member_of_the_vendor_reads_but_changes_nothing(client, vendor, cascade, distributor):
    hop = HopFactory(cascade=cascade, organization=distributor)
    client.force_login(member(vendor, Role.MEMBER))
    page = text(client.get(url("detail", cascade.pk)))
    assert "Acme Distribution" in page
    assert url("recall", cascade.pk) not in page
    client.post(url("close", cascade.pk))
    client.post(url("recall", cascade.pk), {"reason": "x"})
    client.post(url("nudge", cascade.pk), {"hop": hop.pk})
    cascade.refresh_from_db()
    assert cascade.state == CascadeState.OPEN
    assert not Wave.objects.exists()
    assert client.get(url("create")).status_code != 200


# --- releasing ---------------------------------------------------------------------------------------------------
def test_from_the_form_over_the_review_to_the_release(vera, distributor, distributor_manager):
    page = AnnouncementPageFactory(title="Firmware 9")
    assert "Firmware 9" in text(vera.get(f"{url('create')}?page={page.pk}"))

    response = vera.post(url("create"), form_data(page))
    draft = Cascade.objects.get()
    assert response.url == url("review", draft.pk)
    review = text(vera.get(response.url))
    assert "Release to 1 distributor" in review
    assert "Everything is in order" in review

    response = vera.post(url("review", draft.pk))
    assert response.url == url("detail", draft.pk)
    vera.post(url("review", draft.pk))  # a double press
    draft.refresh_from_db()
    assert (draft.state, draft.name, draft.reason) == (CascadeState.OPEN, "Firmware 9", "Old firmware stops.")
    assert draft.hops.of_distributors().get().organization == distributor
    assert Wave.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pass_on_by": "2020-01-01 10:00"}, "in the past"),
        ({"due_at": "2020-01-01 10:00"}, "in the past"),
        ({"whom": "tags"}, "Choose at least one tag"),
        ({"whom": "chosen"}, "Choose at least one distributor"),
        ({"whom": "chosen", "distributors": ["999999"]}, "not one of the available choices"),
        ({"goal": Goal.PASSED}, "not one of the available choices"),
        ({"goal_scope": GoalScope.FUNCTION}, "Choose the function"),
        ({"page": ""}, "required"),
    ],
)
def test_the_form_says_at_the_field_what_is_wrong_and_loses_nothing(vera, distributor, changes, words):
    response = vera.post(url("create"), form_data(AnnouncementPageFactory(), **changes))
    page = text(response)
    assert words in page
    assert "Old firmware stops." in page
    assert not Cascade.objects.exists()


def test_the_review_lists_what_is_wrong_each_with_its_fix_and_refuses(vera, distributor):
    page = AnnouncementPageFactory(publish=False, job="")
    vera.post(url("create"), form_data(page))
    draft = Cascade.objects.get()
    review = text(vera.get(url("review", draft.pk)))
    assert "The page is not published." in review
    assert "does not say which job" in review
    assert reverse("wagtailadmin_pages:edit", args=[page.pk]) in review
    refused = vera.post(url("review", draft.pk), follow=True)
    assert "The page is not published." in text(refused)
    draft.refresh_from_db()
    assert draft.state == CascadeState.DRAFT


def test_a_draft_can_be_changed_by_tag_and_by_name(vera, vendor, distributor):
    gold = OrganizationFactory(name="Gold One")
    NetworkLinkFactory(upstream=vendor, downstream=gold, tags=["Gold"])
    page = AnnouncementPageFactory()
    vera.post(url("create"), form_data(page, whom="tags", tags=[vendor.network_tags.get().pk]))
    draft = Cascade.objects.get()
    assert "Release to 1 distributor" in text(vera.get(url("review", draft.pk)))
    assert "Gold One" in text(vera.get(url("edit", draft.pk)))
    vera.post(url("edit", draft.pk), form_data(page, whom="chosen", distributors=[gold.pk, distributor.pk], name="N"))
    assert "Release to 2 distributors" in text(vera.get(url("review", draft.pk)))
    draft.refresh_from_db()
    assert draft.name == "N"


def test_the_editor_of_a_page_offers_to_release_it(vera):
    page = AnnouncementPageFactory()
    link = f"{url('create')}?page={page.pk}"
    editor = vera.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    if editor.status_code == 200:  # editing pages needs Wagtail's own permission on the tree
        assert link in editor.content.decode()


# --- the list ----------------------------------------------------------------------------------------------------
def test_the_list_searches_filters_and_sorts(vera, vendor):
    CascadeFactory(name="Alpha", closed=True)
    CascadeFactory(name="Beta")
    assert _order(text(vera.get(url("index"), {"ordering": "name"}))) == ["Alpha", "Beta"]
    assert _order(text(vera.get(url("index"), {"ordering": "-name"}))) == ["Beta", "Alpha"]
    assert _order(text(vera.get(url("index"), {"q": "alp"}))) == ["Alpha"]
    assert _order(text(vera.get(url("index_results"), {"state": "open"}))) == ["Beta"]


def _order(page: str) -> list[str]:
    return sorted((name for name in ("Alpha", "Beta") if f">{name}" in page.replace("\n", "").replace("  ", "")),
                  key=page.index)  # fmt: skip


@pytest.mark.parametrize("many", [1, 30])
def test_the_list_costs_the_same_for_one_and_for_thirty(vera, distributor, django_assert_num_queries, many):
    for _number in range(many):
        CascadeFactory(distributors=[distributor])
    vera.get(url("index"))
    with django_assert_num_queries(17):
        vera.get(url("index"))


# --- one cascade -------------------------------------------------------------------------------------------------
def history(cascade, *, resellers: int = 3, done: int = 1, name: str = "Acme Distribution", **hop):
    """A distributor that gave the item to resellers, some of which are done."""
    hop = HopFactory(cascade=cascade, organization=OrganizationFactory(name=name), sent=True, **hop)
    edges = [EdgeFactory(hop=hop) for _number in range(resellers)]
    for edge in edges[:done]:
        person = ContactFactory(owner=hop.organization, organization=edge.organization).address.person
        Completion.objects.create(cascade=cascade, person=person, goal=cascade.goal)
    credit_edges(hop)
    counters.add([(hop.pk, CounterName.SENT, resellers * 2), (hop.pk, CounterName.BOUNCED, 1)])
    return hop


def test_the_funnel_counts_each_hop_and_every_reseller_once(cascade):
    history(cascade, resellers=3, done=2)
    shared = Organization.objects.resellers().order_by("pk").first()
    other = HopFactory(cascade=cascade, accepted=True)
    EdgeFactory(hop=other, organization=shared)
    credit_edges(other)
    HopFactory(cascade=cascade, declined=True)
    HopFactory(cascade=cascade)
    found = funnel(cascade, now=timezone.now() + timedelta(days=8))
    assert {step.name: step.value for step in found.steps} == {
        "offered": 4,
        "accepted": 2,
        "adapted": 0,
        "sent": 1,
        "late": 2,
        "mails_sent": 6,
        "delivered": 5,
        "failed": 0,
        "given": 3,
        "done": 2,
        "overdue": 0,
    }
    assert found.people_done == 2
    assert funnel(cascade, now=timezone.now() + timedelta(days=22)).resellers_overdue == 1


def test_stages_of_distributors(cascade):
    def stage(**hop):
        return next(row.stage for row in hop_rows(cascade) if row.hop == HopFactory(cascade=cascade, **hop))

    hops = {
        Stage.OFFERED: HopFactory(cascade=cascade),
        Stage.READY: HopFactory(cascade=cascade, accepted=True),
        Stage.DECLINED: HopFactory(cascade=cascade, declined=True),
        Stage.SENT: history(cascade, resellers=2, done=1, name="B"),
        Stage.DONE: history(cascade, resellers=1, done=1, name="C"),
        Stage.SCHEDULED: WaveFactory(hop=HopFactory(cascade=cascade, accepted=True), scheduled=True).hop,
        Stage.SENDING: WaveFactory(hop=HopFactory(cascade=cascade, accepted=True), frozen=True).hop,
    }
    assert {row.stage: row.hop for row in hop_rows(cascade)} == hops
    cascade.pass_on_by = timezone.now() + PAST
    late = {row.hop: row.stage for row in hop_rows(cascade) if row.is_late}
    assert late == {hops[Stage.OFFERED]: Stage.OVERDUE, hops[Stage.READY]: Stage.OVERDUE}
    cascade.state = CascadeState.CLOSED
    assert [row for row in hop_rows(cascade) if row.is_late] == []
    cascade.state = CascadeState.RECALLED
    assert {row.stage for row in hop_rows(cascade)} == {Stage.RECALLED}


def test_the_cascades_page_sorts_filters_and_exports_what_it_shows(vera, cascade):
    history(cascade, name="Anton", resellers=1, done=0)
    history(cascade, name="Berta", resellers=4, done=4)
    HopFactory(cascade=cascade, organization=OrganizationFactory(name="=Caesar"))
    page = vera.get(url("detail", cascade.pk), {"ordering": "-resellers"})
    assert [row.name for row in page.context["object_list"]] == ["Berta", "Anton", "=Caesar"]
    assert "7 of" not in text(page)
    filtered = {"ordering": "-resellers", "q": "a", "stage": "sent", "export": "csv"}
    rows = table(vera.get(url("detail", cascade.pk), filtered))
    assert [row[0] for row in rows] == ["Distributor", "Anton"]
    everything = table(vera.get(url("detail", cascade.pk), {"export": "csv"}))
    by_name = {row[0]: dict(zip(everything[0], row, strict=True)) for row in everything[1:]}
    assert by_name["Berta"]["Resellers done"] == "4"
    assert by_name["Berta"]["E-mails delivered"] == "7"
    assert "'=Caesar" in by_name
    assert vera.get(url("detail", cascade.pk), {"export": "xlsx"}).status_code == 200


@pytest.mark.parametrize("many", [1, 30])
def test_the_cascades_page_costs_the_same_for_one_and_for_thirty(vera, cascade, django_assert_num_queries, many):
    for number in range(many):
        history(cascade, name=f"D{number}", resellers=2)
    vera.get(url("detail", cascade.pk))
    with django_assert_num_queries(21):
        vera.get(url("detail", cascade.pk))


def test_the_live_part_is_the_funnel_alone(vera, cascade):
    history(cascade)
    part = text(vera.get(url("live", cascade.pk)))
    assert "<html" not in part
    assert "cascade-funnel" in part


def test_the_drill_shows_resellers_and_counts_but_no_people(vera, cascade):
    hop = history(cascade, resellers=3, done=1)
    page = vera.get(url("resellers", cascade.pk, hop.pk))
    rows = list(page.context["object_list"])
    assert sorted((row.is_done, row.people_done) for row in rows) == [(False, None), (False, None), (True, 1)]
    for contact in hop.organization.contacts.all():
        assert contact.name not in text(page)
        assert contact.address.email not in text(page)
    exported = table(vera.get(url("resellers", cascade.pk, hop.pk), {"state": "done", "export": "csv"}))
    done = OrganizationCompletion.objects.get().organization
    assert [row[0] for row in exported] == ["Reseller", done.name]


@pytest.mark.parametrize("many", [1, 30])
def test_the_drill_costs_the_same_for_one_and_for_thirty(vera, cascade, django_assert_num_queries, many):
    hop = history(cascade, resellers=many)
    vera.get(url("resellers", cascade.pk, hop.pk))
    with django_assert_num_queries(19):
        vera.get(url("resellers", cascade.pk, hop.pk))


def test_a_distributor_of_another_cascade_is_not_found(vera, cascade):
    foreign = HopFactory(cascade=CascadeFactory())
    assert vera.get(url("resellers", cascade.pk, foreign.pk)).status_code == 404


def test_the_timeline_names_the_vendors_people_and_no_others(vera, vendor_editor, distributor, distributor_manager):
    from cascade import hops, releases

    draft = releases.draft(
        AnnouncementPageFactory(),
        by=vendor_editor,
        pass_on_by=timezone.now() + timedelta(days=1),
        due_at=timezone.now() + timedelta(days=2),
    )
    released = releases.release(draft, [distributor], by=vendor_editor)
    hops.accept(released.hops.of_distributors().get(), by=distributor_manager)
    page = text(vera.get(url("detail", released.pk)))
    assert "Vera Vendor" in page
    assert "Accepted" in page
    assert "Mara Manager" not in page


# --- verbs -------------------------------------------------------------------------------------------------------
def test_nudge_one_and_all(vera, vendor):
    cascade = CascadeFactory(pass_on_by=timezone.now() + PAST)
    first, _second, _third = (HopFactory(cascade=cascade) for _number in range(3))
    assert "3 distributors are late" in text(vera.get(url("detail", cascade.pk)))
    assert "Reminded 1 distributor." in text(vera.post(url("nudge", cascade.pk), {"hop": first.pk}, follow=True))
    assert "Reminded 2 distributors." in text(vera.post(url("nudge", cascade.pk), {"hop": "late"}, follow=True))
    assert "a moment ago" in text(vera.post(url("nudge", cascade.pk), {"hop": "late"}, follow=True))
    assert Wave.objects.count() == 2


def test_extend_widen_close_recall_duplicate_and_discard(vera, cascade, distributor, other_distributor):
    HopFactory(cascade=cascade, organization=distributor)
    new = {"pass_on_by": "2031-01-01 10:00", "due_at": "2031-02-01 10:00"}
    vera.post(url("extend", cascade.pk), new)
    cascade.refresh_from_db()
    assert cascade.due_at.year == 2031
    assert "in the past" in text(
        vera.post(url("extend", cascade.pk), {**new, "due_at": "2020-02-01 10:00"}, follow=True)
    )

    widen = text(vera.get(url("widen", cascade.pk)))
    assert ("Borealis" in widen, "Acme" in widen.partition("cascade-checklist")[2]) == (True, False)
    vera.post(url("widen", cascade.pk), {"distributors": [other_distributor.pk]})
    assert cascade.hops.of_distributors().count() == 2

    response = vera.post(url("duplicate", cascade.pk))
    copy = Cascade.objects.get(state=CascadeState.DRAFT)
    assert response.url == url("edit", copy.pk)
    vera.post(url("discard", copy.pk))
    assert not Cascade.objects.filter(pk=copy.pk).exists()

    assert vera.get(url("close", cascade.pk)).status_code == 200
    vera.post(url("close", cascade.pk))
    assert "required" in text(vera.post(url("recall", cascade.pk), {"reason": ""}))
    vera.post(url("recall", cascade.pk), {"reason": "The price was wrong."})
    cascade.refresh_from_db()
    assert (cascade.state, cascade.recall_reason) == (CascadeState.RECALLED, "The price was wrong.")
    assert "The price was wrong." in text(vera.get(url("detail", cascade.pk)))


def test_no_verb_answers_to_a_get(vera, cascade):
    for name in ("close", "recall", "duplicate", "discard", "extend", "widen", "review"):
        vera.get(url(name, cascade.pk))
    assert vera.get(url("nudge", cascade.pk)).status_code == 405
    assert list(Cascade.objects.values_list("state", flat=True)) == [CascadeState.OPEN]
