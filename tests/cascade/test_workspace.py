"""The workspace's inbox and decisions, as a distributor's people use them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.enums import LinkStatus
from accounts.models import NetworkLink
from cascade.enums import CascadeState, HopState, WaveState
from cascade.models import Wave
from cms.adaptation import save_edit
from tests.factories.accounts import ContactFactory
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory, HopFactory
from tests.factories.cms import open_block, republish

INBOX = "/workspace/"


def given_hop(distributor, cascade=None, **fields):
    """What was offered to ``distributor``."""
    return HopFactory(organization=distributor, cascade=cascade or CascadeFactory(), **fields)


@pytest.fixture
def manager(client, distributor_manager):
    client.force_login(distributor_manager)
    return client


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_inbox_says_how_many_need_somebody_and_shows_what_they_are(manager, distributor, reseller):
    ContactFactory(owner=distributor, organization=reseller)
    given_hop(distributor, CascadeFactory(name="Spring prices", reason="Prices change on April 1."))
    given_hop(distributor, CascadeFactory(name="Late one", pass_on_by=timezone.now() - timedelta(days=2)))
    scheduled = given_hop(distributor, CascadeFactory(name="Waiting"), state=HopState.ACCEPTED)
    Wave.objects.create(
        hop=scheduled, state=WaveState.SCHEDULED, scheduled_at=timezone.now() + timedelta(days=1), base_url="https://x"
    )
    page = text_of(manager.get(INBOX))
    assert "2 need you" in page
    assert "Prices change on April 1." in page
    assert "up to 1 person at 1 reseller" in page
    assert page.index("Late one") < page.index("Spring prices") < page.index("Waiting")


def test_inbox_tabs_part_open_sent_and_closed(manager, distributor):
    given_hop(distributor, CascadeFactory(name="Open one"))
    given_hop(distributor, CascadeFactory(name="Sent one"), state=HopState.ACCEPTED, first_sent_at=timezone.now())
    given_hop(distributor, CascadeFactory(name="Declined one"), state=HopState.DECLINED, decline_reason="Not ours")
    given_hop(distributor, CascadeFactory(name="Recalled one", recalled=True))
    seen = {tab: text_of(manager.get(INBOX, {"tab": tab})) for tab in ("open", "sent", "closed")}
    names = ["Open one", "Sent one", "Declined one", "Recalled one"]
    assert [[name for name in names if name in seen[tab]] for tab in seen] == [names[:1], names[1:2], names[2:]]
    assert "Not ours" in seen["closed"]
    assert "The price was wrong." in seen["closed"]


def test_inbox_search_finds_by_title_or_reason(manager, distributor):
    given_hop(distributor, CascadeFactory(name="Spring prices", reason="New list"))
    given_hop(distributor, CascadeFactory(name="Summer event", reason="Come to Hamburg"))
    page = text_of(manager.get(INBOX, {"q": "hamburg event"}))
    assert "Summer event" in page
    assert "Spring prices" not in page
    assert "Nothing matches" in text_of(manager.get(INBOX, {"q": "zebra"}))


def test_inbox_never_shows_drafts_nor_what_went_to_others(manager, distributor, other_distributor):
    given_hop(distributor, CascadeFactory(name="Draft one", state=CascadeState.DRAFT))
    given_hop(other_distributor, CascadeFactory(name="Theirs"))
    page = text_of(manager.get(INBOX))
    assert "Draft one" not in page
    assert "Theirs" not in page
    assert "Borealis" not in page


@pytest.mark.parametrize("number", [1, 30])
def test_inbox_takes_the_same_queries_for_one_and_thirty(
    manager, distributor, number, django_assert_num_queries, settings
):
    for _n in range(number):
        given_hop(distributor, CascadeFactory())
    manager.get(INBOX)
    with django_assert_num_queries(INBOX_QUERIES):
        manager.get(INBOX)


# session, user, memberships twice, link to the vendor, first run (4), tabs, rows, hops, contents, waves, resellers
# reached, links, contacts, vendor
INBOX_QUERIES = 17


def test_a_member_reads_but_is_offered_no_decision(client, distributor, distributor_member):
    hop = given_hop(distributor)
    client.force_login(distributor_member)
    page = text_of(client.get(INBOX))
    assert hop.cascade.name in page
    assert reverse("workspace_accept", args=[hop.pk]) not in page
    assert client.post(reverse("workspace_accept", args=[hop.pk])).status_code == 403
    hop.refresh_from_db()
    assert hop.state == HopState.OFFERED


@pytest.mark.parametrize("who", ["vendor_editor", "reseller_member"])
def test_only_distributors_have_a_workspace(client, distributor, who, request):
    client.force_login(request.getfixturevalue(who))
    assert client.get(INBOX).status_code == 404


def test_anonymous_people_are_asked_to_sign_in(client, db):
    response = client.get(INBOX)
    assert response.status_code == 302
    assert response.url.startswith("/account/login")


def test_accept_leads_to_the_adaptation(manager, distributor):
    hop = given_hop(distributor)
    response = manager.post(reverse("workspace_accept", args=[hop.pk]))
    assert response.url == reverse("workspace_adapt", args=[hop.pk])
    hop.refresh_from_db()
    assert hop.state == HopState.ACCEPTED


def test_decline_needs_a_reason_and_keeps_what_was_typed(manager, distributor):
    hop = given_hop(distributor)
    url = reverse("workspace_decline", args=[hop.pk])
    response = manager.post(url, {"reason": " "})
    assert response.status_code == 422
    assert manager.post(url, {"reason": "We sell other brands here"}).status_code == 302
    hop.refresh_from_db()
    assert (hop.state, hop.decline_reason) == (HopState.DECLINED, "We sell other brands here")


def test_declining_a_mandatory_item_is_refused_in_words(manager, distributor):
    hop = given_hop(distributor, CascadeFactory(is_mandatory=True))
    response = manager.post(reverse("workspace_decline", args=[hop.pk]), {"reason": "No"})
    assert response.status_code == 422
    assert "mandatory and cannot be declined" in text_of(response)


def test_a_paused_distributor_is_told_and_offered_nothing(manager, distributor):
    hop = given_hop(distributor)
    NetworkLink.objects.filter(downstream=distributor).update(status=LinkStatus.PAUSED)
    page = text_of(manager.get(INBOX))
    assert "is paused" in page
    assert reverse("workspace_accept", args=[hop.pk]) not in page


def test_an_open_conflict_shows_as_behind_until_it_is_decided(manager, distributor, distributor_manager):
    page = AnnouncementPageFactory(body=[open_block("rich_text", "<p>8 to 17</p>", key="hours")])
    hop = given_hop(distributor, CascadeFactory(page=page), state=HopState.ACCEPTED, adapted_at=timezone.now())
    save_edit(page, distributor, page.locale, "hours", "<p>8 to 18</p>", by=distributor_manager)
    assert "Behind" not in text_of(manager.get(INBOX))
    page = republish(page, body=[open_block("rich_text", "<p>9 to 16</p>", key="hours")])
    assert "Behind" in text_of(manager.get(INBOX))
    assert "1 needs you" in text_of(manager.get(INBOX))
    manager.post(reverse("workspace_resolve", args=[hop.pk]), {"zone": "hours", "take": "mine", "version": 1})
    assert "Behind" not in text_of(manager.get(INBOX))
