"""Progress and results as their distributor sees them, and every address as a stranger."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from cascade import delivery, waves
from cascade.audience import Audience
from cascade.enums import DeliveryState, Evidence, WaveKind, WaveState
from cascade.models import Completion, Delivery, Lane, OrganizationCompletion, Wave
from cascade.workspace_urls import urlpatterns
from tests.factories.accounts import ContactFactory, NetworkLinkFactory, OrganizationFactory
from tests.factories.cascade import CascadeFactory, HopFactory


@pytest.fixture
def hop(distributor):
    return HopFactory(organization=distributor, cascade=CascadeFactory(), accepted=True)


@pytest.fixture
def manager(client, distributor_manager):
    client.force_login(distributor_manager)
    return client


@pytest.fixture
def send(distributor_manager):
    """Freeze a first sending of a hop to everybody and return its wave."""

    def send(hop, by=distributor_manager) -> Wave:
        wave = waves.prepare(hop, Audience(), by=by)
        waves.schedule(wave, timezone.now() + timedelta(seconds=1), by)
        waves.freeze_due(timezone.now() + timedelta(seconds=2))
        wave.refresh_from_db()
        return wave

    return send


def settle(wave: Wave, state: str = DeliveryState.SENT, **fields) -> None:
    """Give every queued message of ``wave`` an outcome, as the engine does."""
    wave.deliveries.filter(state="queued").update(state=state, sent_at=timezone.now(), **fields)
    wave.deliveries.filter(state="covered").update(passed_at=timezone.now())
    wave.chunks.update(state="done")
    Wave.objects.filter(pk=wave.pk).update(state=WaveState.DONE, started_at=timezone.now(), finished_at=timezone.now())


def people(distributor, number: int) -> list:
    return [ContactFactory(owner=distributor, name=f"Person {n:02}") for n in range(number)]


def url(hop, rest=""):
    return f"/workspace/{hop.pk}/results/{rest}"


def file_of(response) -> bytes:
    return b"".join(response)


def words(response) -> str:
    return " ".join(b"".join(response).decode().split())


# --- progress ----------------------------------------------------------------------------------------------------
def test_progress_adds_up_and_asks_again_until_it_is_done(manager, hop, distributor, send):
    people(distributor, 4)
    wave = send(hop)
    Delivery.objects.filter(pk=wave.deliveries.first().pk).update(state="sent", sent_at=timezone.now())
    live = manager.get(url(hop, "live/"))
    assert live.status_code == 200
    assert "Sent <strong>1</strong>" in words(live)
    assert "Waiting <strong>3</strong>" in words(live)
    assert 'hx-trigger="every 2s"' in words(live)
    settle(wave)
    last = manager.get(url(hop, "live/"))
    assert (last.status_code, last["HX-Refresh"]) == (286, "true")
    assert "every 2s" not in words(last)


def test_a_mail_server_that_is_down_is_said_in_plain_words(manager, hop, distributor, send):
    people(distributor, 2)
    wave = send(hop)
    Lane.objects.filter(chunks__wave=wave).update(
        held_until=timezone.now() + timedelta(minutes=2), held_because="Connection refused"
    )
    page = words(manager.get(url(hop)))
    assert "The mail server does not take messages at the moment (Connection refused)." in page
    assert "2 messages wait and leave by themselves when it is back." in page


def test_pause_resume_and_cancel(manager, hop, distributor, send):
    people(distributor, 2)
    wave = send(hop)
    base = f"/workspace/{hop.pk}/waves/{wave.pk}"
    manager.post(f"{base}/pause/")
    assert "Resume" in words(manager.get(url(hop)))
    manager.post(f"{base}/resume/")
    assert "Pause" in words(manager.get(url(hop)))
    assert "2 people still waiting will not be mailed" in words(manager.get(f"{base}/cancel/"))
    manager.post(f"{base}/cancel/")
    wave.refresh_from_db()
    assert wave.state == WaveState.CANCELLED
    assert delivery.tally(wave.deliveries.all()) == {"cancelled": 2}


# --- results -----------------------------------------------------------------------------------------------------
@pytest.fixture
def sent(hop, distributor, send):
    """Six people: one done, one clicked, one bounced, one unconfirmed, two just sent; and one not mailed."""
    known = people(distributor, 6)
    ContactFactory(owner=distributor, name="Without", consent=False)
    wave = send(hop)
    settle(wave)
    rows = {row.name: row for row in wave.deliveries.all()}
    cascade = hop.cascade
    Completion.objects.create(cascade=cascade, person=rows["Person 00"].person, goal="acknowledged")
    OrganizationCompletion.objects.create(cascade=cascade, organization=known[0].organization)
    Delivery.objects.filter(pk=rows["Person 01"].pk).update(clicked_at=timezone.now())
    Delivery.objects.filter(pk=rows["Person 02"].pk).update(evidence=Evidence.BOUNCED, evidence_at=timezone.now())
    Delivery.objects.filter(pk=rows["Person 03"].pk).update(state=DeliveryState.UNCONFIRMED)
    hop.first_sent_at = timezone.now()
    hop.save()
    return rows


def test_the_funnel_counts_people_from_sent_to_done(manager, hop, sent):
    funnel = manager.get(url(hop)).context["funnel"]
    assert (funnel.named, funnel.sent, funnel.delivered, funnel.clicked, funnel.done) == (7, 5, 4, 2, 1)
    assert (funnel.bounced, funnel.unconfirmed, funnel.not_mailed) == (1, 1, 1)


@pytest.mark.parametrize(
    ("stage", "names"),
    [
        ("done", ["Person 00"]),
        ("clicked", ["Person 01"]),
        ("bounced", ["Person 02"]),
        ("unconfirmed", ["Person 03"]),
        ("sent", ["Person 04", "Person 05"]),
        ("suppressed", ["Without"]),
    ],
)
def test_people_by_state_on_screen_and_in_the_file(manager, hop, sent, stage, names):
    response = manager.get(url(hop, f"people/?state={stage}&sort=name"))
    assert [row.name for row in response.context["rows"]] == names
    rows = file_of(manager.get(url(hop, f"people/?state={stage}&format=csv"))).decode("utf-8-sig").splitlines()
    assert sorted(row.split(",")[0] for row in rows[1:]) == names


def test_people_search_and_sort(manager, hop, sent):
    assert [r.name for r in manager.get(url(hop, "people/?q=person+04")).context["rows"]] == ["Person 04"]
    names = [r.name for r in manager.get(url(hop, "people/?sort=-name")).context["rows"]]
    assert names == sorted(names, reverse=True)


def test_resellers_say_who_is_done_and_match_their_file(manager, hop, sent):
    rows = manager.get(url(hop, "resellers/?state=done")).context["rows"]
    assert [(row.people, row.people_done, row.stage) for row in rows] == [(1, 1, "done")]
    book = openpyxl.load_workbook(io.BytesIO(file_of(manager.get(url(hop, "resellers/?format=xlsx")))))
    assert [row[1] for row in book.active.iter_rows(values_only=True)].count("Done") == 1
    assert book.active.max_row == 8


def test_a_reseller_has_the_name_this_distributor_knows(manager, hop, distributor, send):
    reseller = OrganizationFactory(reseller=True, name="Official GmbH")
    NetworkLinkFactory(upstream=distributor, downstream=reseller, name_as_known="Uwe's shop")
    ContactFactory(owner=distributor, organization=reseller)
    settle(send(hop))
    assert [row.shown_name for row in manager.get(url(hop, "resellers/")).context["rows"]] == ["Uwe's shop"]


def test_a_persons_timeline(manager, hop, sent):
    row = sent["Person 02"]
    page = words(manager.get(url(hop, f"people/{row.pk}/")))
    assert page.index("Sent") < page.index("Bounced")
    assert row.email in page


def test_unconfirmed_is_explained_and_decided_by_a_person(manager, hop, sent):
    page = words(manager.get(url(hop, "unconfirmed/")))
    assert "Nobody can tell from here" in page
    row = sent["Person 03"]
    manager.post(url(hop, "unconfirmed/"), {"delivery": row.pk, "decision": "arrived"})
    row.refresh_from_db()
    assert row.state == DeliveryState.SENT
    assert "Nothing is unconfirmed" in words(manager.get(url(hop, "unconfirmed/")))


def test_reminding_mails_only_those_not_done(manager, hop, sent):
    assert "Remind 3" in words(manager.get(url(hop)))  # not the one done, bounced, unconfirmed or never mailed
    assert "Remind 3 people?" in words(manager.get(url(hop, "remind/")))
    assert not hop.waves.filter(kind=WaveKind.REMINDER).exists()
    key = {"send_key": str(uuid.uuid4())}
    manager.post(url(hop, "remind/"), key)
    manager.post(url(hop, "remind/"), key)
    waves.freeze_due(timezone.now() + timedelta(seconds=11))
    reminder = hop.waves.get(kind=WaveKind.REMINDER)
    names = sorted(reminder.deliveries.values_list("name", flat=True))
    assert names == ["Person 01", "Person 04", "Person 05"]


def test_late_joiners_are_proposed_and_confirmed(manager, hop, distributor, sent):
    assert "since you sent" not in words(manager.get(url(hop)))
    ContactFactory(owner=distributor, name="Newcomer")
    assert "1 new person since you sent." in words(manager.get(url(hop)))
    assert hop.waves.count() == 1
    manager.post(url(hop, "newcomers/"), {"send_key": str(uuid.uuid4())})
    waves.freeze_due(timezone.now() + timedelta(seconds=11))
    wave = hop.waves.get(kind=WaveKind.LATE_JOINERS)
    assert list(wave.deliveries.exclude(state="suppressed").values_list("name", flat=True)) == ["Newcomer"]


@pytest.mark.parametrize("number", [1, 30])
@pytest.mark.parametrize(("page", "queries"), [("people/", 11), ("resellers/", 11)])
def test_tables_take_the_same_queries_for_one_and_thirty(
    manager, hop, distributor, send, number, page, queries, django_assert_num_queries
):
    people(distributor, number)
    settle(send(hop))
    manager.get(url(hop, page))
    with django_assert_num_queries(queries):
        manager.get(url(hop, page))


# --- one person, one message: nobody can tell --------------------------------------------------------------------
def test_a_covered_person_looks_like_everybody_on_every_screen_and_in_every_file(
    client, manager, hop, distributor, other_distributor, distributor_manager, stranger, send
):
    """Both send the same item to the same person: Borealis first. Acme's screens show what Borealis' message did."""
    reseller = OrganizationFactory(reseller=True, name="Shared Systems")
    for owner in (distributor, other_distributor):
        ContactFactory(owner=owner, organization=reseller, email="shared@systems.example", name="Sharon")
    theirs = HopFactory(organization=other_distributor, cascade=hop.cascade, accepted=True)
    settle(send(theirs, by=stranger), clicked_at=timezone.now())
    wave = send(hop)
    assert [row.state for row in wave.deliveries.all()] == ["covered"]
    assert [row.stage for row in manager.get(url(hop, "people/")).context["rows"]] == ["queued"]
    settle(wave)
    seen = [
        words(manager.get(url(hop, rest)))
        for rest in ("", "people/", "resellers/", f"people/{wave.deliveries.get().pk}/", "people/?format=csv")
    ]
    assert [row.stage for row in manager.get(url(hop, "people/")).context["rows"]] == ["clicked"]
    for page in seen:
        assert "overed" not in page
        assert "Borealis" not in page
    assert manager.get(url(hop)).context["funnel"].sent == 1


# --- the stranger ------------------------------------------------------------------------------------------------
def _addresses() -> list[str]:
    return sorted(pattern.name for pattern in urlpatterns if pattern.name not in {"workspace_inbox", "workspace_start"})


@pytest.mark.parametrize("who", ["stranger", "reseller_member", "vendor_editor"])
@pytest.mark.parametrize("name", _addresses())
def test_every_address_of_a_hop_does_not_exist_for_others(client, hop, sent, name, who, request):
    wave = hop.waves.get()
    given = {"view": "mail", "wave": wave.pk, "delivery": sent["Person 00"].pk}
    pattern = next(pattern for pattern in urlpatterns if pattern.name == name)
    wanted = {key: given[key] for key in pattern.pattern.converters if key in given}
    address = reverse(name, kwargs={"pk": hop.pk, **wanted})
    client.force_login(request.getfixturevalue(who))
    assert client.get(address).status_code in {404, 405}
    assert client.post(address, {"reason": "x", "send_key": str(uuid.uuid4())}).status_code in {404, 405}
    wave.refresh_from_db()
    assert (wave.state, hop.waves.count()) == (WaveState.DONE, 1)
