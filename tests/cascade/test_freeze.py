import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.enums import AddressState, LinkStatus, Role, SuppressionReason, SuppressionScope
from accounts.models import Address, Consent, NetworkLink, Suppression
from cascade import counters
from cascade.audience import Audience
from cascade.enums import CounterName, DeliveryState, WaveKind, WaveState
from cascade.freeze import NothingToSend, audience_counts, audience_rows, freeze
from cascade.models import Chunk, Completion, Delivery, Edge, Wave
from tests.cascade.sending import assert_sums, make_hop, make_wave, people, share, states
from tests.factories.accounts import ContactFactory, NetworkLinkFactory, OrganizationFactory, PersonFactory, member
from tests.factories.cascade import CascadeFactory, HopFactory

pytestmark = pytest.mark.django_db


def suppress(contact, scope=SuppressionScope.GLOBAL, reason=SuppressionReason.UNSUBSCRIBED, **fields):
    return Suppression.objects.create(email_hash=contact.address.email_hash, scope=scope, reason=reason, **fields)


def reasons(wave: Wave) -> dict[str, str]:
    return {d.email: d.reason for d in wave.deliveries.all() if d.reason}


def test_freeze_writes_a_row_for_everybody_with_state_and_reason():
    hop = make_hop()
    fine, refused, bounced, no_consent, gone = people(hop.organization, 5)
    suppress(refused)
    Address.objects.filter(pk=bounced.address_id).update(state=AddressState.BOUNCED)
    Consent.objects.filter(address=no_consent.address).delete()
    gone.is_active = False
    gone.save()

    wave = freeze(make_wave(hop))

    assert wave.state == WaveState.FROZEN
    assert wave.frozen_count == 5
    assert states(wave) == {DeliveryState.QUEUED: 1, DeliveryState.SUPPRESSED: 4}
    assert reasons(wave) == {
        refused.address.email: "unsubscribed",
        bounced.address.email: "bounced",
        no_consent.address.email: "no_consent",
        gone.address.email: "inactive",
    }
    row = wave.deliveries.get(state=DeliveryState.QUEUED)
    assert (row.email, row.name, row.company) == (fine.address.email, fine.name, fine.organization.name)
    assert_sums(wave)


def test_freeze_twice_changes_nothing():
    wave = make_wave(make_hop(count=3))

    freeze(wave)
    freeze(wave)

    assert wave.deliveries.count() == 3
    assert Chunk.objects.filter(wave=wave).count() == 1
    assert counters.differences(wave.hop) == {}


def test_freeze_of_nobody_writes_nothing():
    hop = make_hop()
    (contact,) = people(hop.organization, 1)
    suppress(contact)
    wave = make_wave(hop)

    with pytest.raises(NothingToSend):
        freeze(wave)

    assert wave.deliveries.count() == 0
    assert Edge.objects.count() == 0


@pytest.mark.parametrize(
    ("scope", "fields", "expected"),
    [
        (SuppressionScope.SENDER, {"own": True}, DeliveryState.SUPPRESSED),
        (SuppressionScope.SENDER, {"own": False}, DeliveryState.QUEUED),
        (SuppressionScope.TOPIC, {"topic": "news"}, DeliveryState.SUPPRESSED),
        (SuppressionScope.TOPIC, {"topic": "training"}, DeliveryState.QUEUED),
        (SuppressionScope.GLOBAL, {}, DeliveryState.SUPPRESSED),
    ],
)
def test_freeze_obeys_the_scope_of_a_refusal(scope, fields, expected):
    hop = make_hop(count=1)
    (contact,) = people(hop.organization, 1)
    if "own" in fields:
        fields = {"sender": hop.organization if fields["own"] else OrganizationFactory()}
    suppress(contact, scope, **fields)

    wave = freeze(make_wave(hop))

    assert wave.deliveries.get(address=contact.address).state == expected


def test_freeze_takes_members_of_resellers_and_prefers_the_senders_own_record():
    hop = make_hop()
    (contact,) = people(hop.organization, 1, name="As the distributor knows them", email="anna@reseller.example")
    member(contact.organization, Role.MEMBER, email="anna@reseller.example", name="Anna")
    colleague = member(contact.organization, Role.OWNER, email="ben@reseller.example", name="Ben")

    wave = freeze(make_wave(hop))

    assert set(wave.deliveries.values_list("email", "name")) == {
        ("anna@reseller.example", "As the distributor knows them"),
        (colleague.email, "Ben"),
    }


def test_freeze_names_an_address_once_however_many_resellers_it_is_known_at():
    hop = make_hop()
    (first,) = people(hop.organization, 1)
    ContactFactory(owner=hop.organization, address=first.address, name="Same again")

    wave = freeze(make_wave(hop))

    assert wave.deliveries.count() == 1
    assert Edge.objects.filter(hop=hop).count() == 2


@pytest.mark.parametrize("status", [LinkStatus.PAUSED, LinkStatus.ENDED, LinkStatus.INVITED])
def test_freeze_leaves_out_resellers_without_an_active_link(status):
    hop = make_hop(count=1)
    (away,) = people(hop.organization, 1)
    NetworkLink.objects.filter(upstream=hop.organization, downstream=away.organization).update(status=status)

    wave = freeze(make_wave(hop))

    assert away.address.email not in wave.deliveries.values_list("email", flat=True)
    assert not Edge.objects.filter(organization=away.organization).exists()


def test_freeze_never_takes_contacts_of_another_distributor():
    hop = make_hop(count=1)
    other = make_hop(hop.cascade)
    (foreign,) = people(other.organization, 1)
    NetworkLinkFactory(upstream=hop.organization, downstream=foreign.organization)

    wave = freeze(make_wave(hop))

    assert foreign.address.email not in wave.deliveries.values_list("email", flat=True)


def test_audience_narrows_by_tag_country_language_function_and_picked_resellers():
    hop = make_hop()
    gold = OrganizationFactory(reseller=True, country="DE")
    silver = OrganizationFactory(reseller=True, country="FR")
    link = NetworkLinkFactory(upstream=hop.organization, downstream=gold, tags=["Gold"])
    tag = link.tags.get()
    seller = ContactFactory(owner=hop.organization, organization=gold, function="sales", language="de-at")
    engineer = ContactFactory(owner=hop.organization, organization=silver, function="technical", language="fr")

    def emails(**audience) -> set[str]:
        return {row.email for row in audience_rows(hop, Audience(**audience))}

    both = {seller.address.email, engineer.address.email}
    assert emails() == both
    assert emails(tags=(tag.pk,)) == {seller.address.email}
    assert emails(countries=("FR",)) == {engineer.address.email}
    assert emails(languages=("de", "fr")) == both
    assert emails(languages=("de",)) == {seller.address.email}
    assert emails(functions=("technical",)) == {engineer.address.email}
    assert emails(organizations=(gold.pk,), countries=("FR",)) == {seller.address.email}
    assert emails(tags=(tag.pk,), functions=("technical",)) == set()


def test_audience_counts_say_how_many_and_why_not(django_assert_num_queries):
    hop = make_hop()
    contacts = people(hop.organization, 4, resellers=2)
    suppress(contacts[0])
    Consent.objects.filter(address=contacts[1].address).delete()
    hop.refresh_from_db()
    audience_counts(hop, Audience())  # fills the hop's related objects

    with django_assert_num_queries(2):
        counts = audience_counts(hop, Audience())

    assert (counts.people, counts.resellers) == (2, 2)
    assert counts.excluded == {"unsubscribed": 1, "no_consent": 1}
    rows = audience_rows(hop, Audience(), "unsubscribed")
    assert [row.email for row in rows] == [contacts[0].address.email]
    assert rows[0].reason_label == "Unsubscribed"
    assert len(audience_rows(hop, Audience(), "")[0:1]) == 1


def test_audience_counts_are_the_same_whether_or_not_another_distributor_was_first():
    hop, rival = make_hop(count=2), None
    rival = make_hop(hop.cascade)
    for contact in hop.organization.contacts.all():
        share(contact, rival.organization)
    before = audience_counts(hop, Audience())

    freeze(make_wave(rival))

    assert audience_counts(hop, Audience()) == before


def test_counts_equal_what_the_freeze_writes():
    hop = make_hop(count=5, resellers=3)
    suppress(hop.organization.contacts.first())
    counts = audience_counts(hop, Audience())

    wave = freeze(make_wave(hop))

    assert wave.deliveries.filter(state=DeliveryState.QUEUED).count() == counts.people
    assert wave.deliveries.filter(state=DeliveryState.SUPPRESSED).count() == counts.excluded_total
    assert wave.frozen_count == counts.people + counts.excluded_total


# --- one person, one message --------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
def test_shared_person_is_queued_by_the_first_and_covered_by_the_second(first):
    cascade = CascadeFactory()
    hops = [make_hop(cascade, count=1), make_hop(cascade, count=1)]
    (shared,) = people(hops[0].organization, 1)
    share(shared, hops[1].organization)
    waves = [make_wave(hops[first]), make_wave(hops[1 - first])]

    for wave in waves:
        freeze(wave)

    assert [states(wave) for wave in waves] == [
        {DeliveryState.QUEUED: 2},
        {DeliveryState.QUEUED: 1, DeliveryState.COVERED: 1},
    ]
    assert Delivery.objects.filter(person=shared.address.person, holds_claim=True).count() == 1
    for wave in waves:
        assert_sums(wave)
        assert counters.differences(wave.hop) == {}


def test_person_with_two_addresses_gets_one_message():
    hop = make_hop()
    person = PersonFactory()
    for contact in people(hop.organization, 2):
        Address.objects.filter(pk=contact.address_id).update(person=person)

    wave = freeze(make_wave(hop))

    assert states(wave) == {DeliveryState.QUEUED: 1, DeliveryState.COVERED: 1}


def test_suppressed_row_takes_no_claim_from_another_sender():
    cascade = CascadeFactory()
    first, second = make_hop(cascade, count=1), make_hop(cascade)
    (shared,) = people(first.organization, 1)
    share(shared, second.organization)
    suppress(shared, SuppressionScope.SENDER, sender=first.organization)

    freeze(make_wave(first))
    wave = freeze(make_wave(second))

    assert wave.deliveries.get(person=shared.address.person).state == DeliveryState.QUEUED


def test_another_cascade_mails_the_same_person_again():
    hop = make_hop(count=1)
    later = HopFactory(organization=hop.organization, accepted=True)

    waves = [freeze(make_wave(hop)), freeze(make_wave(later))]

    assert [states(wave) for wave in waves] == [{DeliveryState.QUEUED: 1}] * 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="two writers at once need PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_two_freezes_at_once_give_one_message_per_shared_person():
    cascade = CascadeFactory()
    hops = [make_hop(cascade), make_hop(cascade)]
    for contact in people(hops[0].organization, 60, resellers=3):
        share(contact, hops[1].organization)
    waves = [make_wave(hop) for hop in hops]
    start, errors = threading.Barrier(2), []

    def run(wave: Wave) -> None:
        try:
            start.wait(10)
            freeze(wave)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(wave,)) for wave in waves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    totals = [states(wave) for wave in waves]
    assert sum(total.get(DeliveryState.QUEUED, 0) for total in totals) == 60
    assert sum(total.get(DeliveryState.COVERED, 0) for total in totals) == 60
    assert Delivery.objects.filter(holds_claim=True).values("person").distinct().count() == 60
    for wave in waves:
        assert_sums(wave)


# --- edges, languages, chunks -------------------------------------------------------------------------------------


def test_freeze_gives_the_item_to_every_reseller_named_even_without_contacts():
    hop = make_hop(count=1)
    silent = OrganizationFactory(reseller=True)
    NetworkLinkFactory(upstream=hop.organization, downstream=silent)

    freeze(make_wave(hop))

    assert Edge.objects.filter(hop=hop, organization=silent).exists()
    assert counters.read([hop])[hop.pk][CounterName.RESELLERS] == 2
    assert counters.differences(hop) == {}


def test_freeze_narrowed_to_a_function_gives_the_item_only_where_somebody_fits():
    hop = make_hop(count=1)
    (engineer,) = people(hop.organization, 1, function="technical")

    freeze(make_wave(hop, audience=Audience(functions=("technical",))))

    assert list(Edge.objects.filter(hop=hop).values_list("organization", flat=True)) == [engineer.organization_id]


def test_persons_own_language_beats_the_contacts_and_falls_back_to_a_language_there_is():
    hop = make_hop()
    own, contacts, unknown = people(hop.organization, 3)
    own.address.person.language = "en"
    own.address.person.save()
    type(own).objects.filter(pk__in=[own.pk, contacts.pk]).update(language="en-gb")
    type(own).objects.filter(pk=unknown.pk).update(language="ja")

    wave = freeze(make_wave(hop))

    assert set(wave.deliveries.values_list("language", flat=True)) == {"en"}
    assert [content.language for content in wave.contents.all()] == ["en"]


def test_chunks_hold_at_most_so_many_and_leave_out_who_is_not_mailed(monkeypatch):
    monkeypatch.setattr("cascade.freeze.CHUNK_SIZE", 4)
    hop = make_hop(count=10)
    suppress(hop.organization.contacts.first())

    wave = freeze(make_wave(hop))

    assert [(chunk.number, chunk.size) for chunk in wave.chunks.order_by("number")] == [(1, 4), (2, 4), (3, 1)]
    assert wave.deliveries.get(state=DeliveryState.SUPPRESSED).chunk_number is None


# --- later waves --------------------------------------------------------------------------------------------------


def test_late_joiners_leave_out_who_was_named_before():
    hop = make_hop(count=2)
    freeze(make_wave(hop))
    (newcomer,) = people(hop.organization, 1)

    wave = freeze(make_wave(hop, kind=WaveKind.LATE_JOINERS))

    assert [d.email for d in wave.deliveries.all()] == [newcomer.address.email]


def test_reminder_takes_those_not_done_and_steps_over_covered_people():
    cascade = CascadeFactory(goal_scope="everyone")
    rival, hop = make_hop(cascade), make_hop(cascade)
    own, done, shared, failed = people(hop.organization, 4)
    share(shared, rival.organization)
    for each in (rival, hop):
        freeze(make_wave(each))
    Delivery.objects.filter(state=DeliveryState.QUEUED).update(state=DeliveryState.SENT)
    Delivery.objects.filter(state=DeliveryState.COVERED).update(passed_at=timezone.now() - timedelta(hours=1))
    Delivery.objects.filter(address=failed.address).update(state=DeliveryState.FAILED)
    Completion.objects.create(cascade=cascade, person=done.address.person, goal=cascade.goal)

    counts = audience_counts(hop, Audience(), kind=WaveKind.REMINDER)
    wave = freeze(make_wave(hop, kind=WaveKind.REMINDER))

    assert counts.people == 2
    assert dict(wave.deliveries.values_list("email", "state")) == {
        own.address.email: DeliveryState.QUEUED,
        shared.address.email: DeliveryState.COVERED,
    }
    assert_sums(wave)


def test_vendors_notice_goes_to_members_of_the_distributors():
    hop = make_hop(count=1)
    manager = member(hop.organization, Role.MANAGER)
    notice = make_wave(hop.parent)

    freeze(notice)

    assert [d.email for d in notice.deliveries.all()] == [manager.email]
    assert notice.contents.get().subject.startswith("To pass on: ")
