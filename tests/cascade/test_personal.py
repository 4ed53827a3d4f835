"""What cascades hold about a person."""

from accounts import people
from cascade.enums import DeliveryState, OutboxState
from cascade.models import Completion, Delivery, OutboxMessage
from tests.factories.accounts import AddressFactory
from tests.factories.cascade import DeliveryFactory, WaveFactory


def test_export_lists_messages_and_goals_of_that_person_only(distributor, vendor):
    row = DeliveryFactory(email="ann@cobalt.example", state=DeliveryState.SENT)
    DeliveryFactory(wave=row.wave, email="marker@cobalt.example", state=DeliveryState.SENT)
    Completion.objects.create(cascade=row.cascade, person=row.person, goal="read")
    data = people.export(row.person)
    assert [message["email"] for message in data["messages"]] == ["ann@cobalt.example"]
    assert [goal["goal"] for goal in data["completions"]] == ["read"]
    assert "marker" not in str(data)


def test_erase_blanks_deliveries_but_keeps_their_states(vendor):
    row = DeliveryFactory(email="ann@cobalt.example", name="Ann", state=DeliveryState.SENT)
    for state in (OutboxState.SENT, OutboxState.QUEUED):
        OutboxMessage.objects.create(recipients=["ann@cobalt.example"], raw=b"x", message_id=state, state=state)
    people.erase(row.person, by=None)

    row.refresh_from_db()
    assert (row.name, row.state) == ("", DeliveryState.SENT)
    assert row.email.endswith("@erased.invalid")
    assert [message.state for message in OutboxMessage.objects.all()] == [OutboxState.QUEUED]
    assert not Delivery.objects.filter(address__email__contains="ann").exists()


def test_merging_two_persons_counts_a_goal_once_and_keeps_one_claim(vendor):
    mine = DeliveryFactory(email="ann@cobalt.example", state=DeliveryState.SENT)
    theirs = DeliveryFactory(
        wave=WaveFactory(hop=mine.wave.hop, frozen=True), email="a.smith@cobalt.example", state=DeliveryState.SENT
    )
    for row in (mine, theirs):
        Completion.objects.create(cascade=row.cascade, person=row.person, goal="read")
    other = theirs.person
    people.merge(mine.person, other)

    assert set(Delivery.objects.values_list("person", "holds_claim")) == {
        (mine.person_id, True),
        (mine.person_id, False),
    }
    assert Completion.objects.get().person == mine.person


def test_merging_keeps_what_only_the_other_reached(vendor):
    row = DeliveryFactory(state=DeliveryState.SENT)
    Completion.objects.create(cascade=row.cascade, person=row.person, goal="read")
    keep = AddressFactory().person
    people.merge(keep, row.person)
    assert Completion.objects.get().person == keep
