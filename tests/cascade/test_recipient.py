"""Pages behind the links of a mail: what a token opens, what a GET never does, what a POST does once."""

import io
import re
from datetime import timedelta

import pytest
from django.core.files.images import ImageFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow
from wagtail.images.models import Image

from accounts.enums import SuppressionScope
from accounts.models import Consent, Suppression
from cascade import tokens
from cascade.enums import CascadeState, DeliveryState, HopState, LedgerKind
from cascade.models import Completion, Delivery, LedgerEvent
from cascade.tokens import Purpose
from tests.factories.accounts import ConsentFactory
from tests.factories.cascade import CascadeFactory, DeliveryFactory, EdgeFactory, HopFactory, WaveFactory
from tests.factories.cms import block, republish

URLS = {
    Purpose.VIEW: "recipient_view",
    Purpose.ACT: "recipient_act",
    Purpose.WHY: "recipient_why",
    Purpose.UNSUBSCRIBE: "recipient_unsubscribe",
    Purpose.PREFERENCES: "recipient_preferences",
}
INLINE = re.compile(r"<style|<script|\sstyle=|\son[a-z]+=", re.IGNORECASE)


@pytest.fixture
def delivery(distributor, reseller) -> Delivery:
    """A sent message of Acme to Rita at Cobalt, with the edge that gave Cobalt the item."""
    hop = HopFactory(cascade=CascadeFactory(), organization=distributor, sent=True)
    EdgeFactory(hop=hop, organization=reseller)
    sent = timezone.now() + timedelta(minutes=1)
    wave = WaveFactory(hop=hop, done=True)
    row = DeliveryFactory(
        wave=wave,
        organization=reseller,
        email="rita@cobalt.example",
        name="Rita",
        state=DeliveryState.SENT,
        sent_at=sent,
    )
    ConsentFactory(address=row.address, sender=distributor, source="fair 2026")
    return row


def url(delivery: Delivery, purpose: str) -> str:
    return reverse(URLS[purpose], args=[tokens.make(delivery.pk, purpose)])


def facts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Completion, LedgerEvent, Suppression, Consent))


# --- every page ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("purpose", URLS)
def test_page_opens_without_sign_in_cookie_or_change(client, delivery, purpose):
    before = facts()
    for method in (client.get, client.head):
        response = method(url(delivery, purpose))
        assert response.status_code == 200
    html = client.get(url(delivery, purpose)).content.decode()
    assert facts() == before
    assert client.cookies == {}
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert "Acme Distribution" in html
    assert INLINE.findall(html) == []
    assert "rita@cobalt" not in html  # shows nothing private when forwarded
    assert "Rita" not in html


@pytest.mark.parametrize("purpose", URLS)
@pytest.mark.parametrize("spoil", ["cut", "forged", "other purpose", "unknown delivery", "garbage"])
def test_bad_token_is_a_plain_404_for_get_and_post(client, delivery, purpose, spoil):
    token = tokens.make(delivery.pk, purpose)
    bad = {
        "cut": token[:-3],
        "forged": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "other purpose": tokens.make(delivery.pk, next(p for p in URLS if p != purpose)),
        "unknown delivery": tokens.make(delivery.pk + 999, purpose),
        "garbage": "é%00x",
    }[spoil]
    before = facts()
    for response in (client.get(reverse(URLS[purpose], args=[bad])), client.post(reverse(URLS[purpose], args=[bad]))):
        assert response.status_code == 404
        assert "This link does not work" in response.content.decode()
    assert facts() == before


@pytest.mark.parametrize("purpose", URLS)
def test_links_of_a_test_message_open_nothing(client, vendor, purpose):
    response = client.post(reverse(URLS[purpose], args=[tokens.make(0, purpose)]))
    assert "This was a test message" in response.content.decode()
    assert facts() == (0, 0, 0, 0)


def test_page_speaks_the_language_of_the_message_and_then_of_the_person(client, delivery):
    delivery.language = "de"
    delivery.save(update_fields=["language"])
    assert '<html lang="de"' in client.get(url(delivery, Purpose.WHY)).content.decode()
    delivery.person.language = "fr"
    delivery.person.save(update_fields=["language"])
    assert '<html lang="fr"' in client.get(url(delivery, Purpose.WHY)).content.decode()


@pytest.mark.parametrize("purpose", URLS)
def test_no_page_names_another_distributor_that_serves_the_reseller(
    client, delivery, other_distributor, reseller, purpose
):
    hop = HopFactory(cascade=delivery.cascade, organization=other_distributor, sent=True)
    EdgeFactory(hop=hop, organization=reseller)
    ConsentFactory(address=delivery.address, sender=other_distributor, source="borealis list")
    html = client.get(url(delivery, purpose)).content.decode().lower()
    assert "borealis" not in html


# --- reading ------------------------------------------------------------------------------------------------------
def test_view_shows_the_item_without_a_way_to_act(client, delivery):
    html = client.get(url(delivery, Purpose.VIEW)).content.decode()
    assert "Update before" in html
    assert "<form" not in html
    assert "Updated" not in html


def test_view_says_when_the_item_changed_after_the_mail(client, delivery):
    Delivery.objects.update(sent_at=timezone.now() - timedelta(days=3))
    assert "after the e-mail was sent" in client.get(url(delivery, Purpose.VIEW)).content.decode()


@pytest.mark.parametrize("purpose", [Purpose.VIEW, Purpose.ACT])
@pytest.mark.parametrize("by", ["cascade", "hop"])
def test_recall_leaves_a_tombstone(client, delivery, purpose, by):
    if by == "cascade":
        delivery.cascade.state, delivery.cascade.recall_reason = CascadeState.RECALLED, "The price was wrong."
        delivery.cascade.save()
    else:
        delivery.wave.hop.state = HopState.RECALLED
        delivery.wave.hop.save()
    response = client.get(url(delivery, purpose))
    assert response.status_code == 410
    html = response.content.decode()
    assert "has been withdrawn" in html
    assert ("The price was wrong." in html) == (by == "cascade")
    assert "Update before" not in html
    for goal in ("acknowledged", "read"):
        client.post(url(delivery, Purpose.ACT), {"goal": goal})
    assert (Completion.objects.count(), LedgerEvent.objects.count()) == (0, 0)


def test_unpublished_item_is_not_available(client, delivery):
    delivery.cascade.contents.get().page.unpublish()
    response = client.get(url(delivery, Purpose.VIEW))
    assert response.status_code == 410
    assert "not available at the moment" in response.content.decode()


def test_closed_item_is_readable_and_nothing_can_be_done(client, delivery):
    delivery.cascade.state = CascadeState.CLOSED
    delivery.cascade.save()
    html = client.get(url(delivery, Purpose.ACT)).content.decode()
    assert "Update before" in html
    assert "This item is closed" in html
    assert 'name="goal"' not in html
    client.post(url(delivery, Purpose.ACT), {"goal": "acknowledged"})
    assert Completion.objects.count() == 0


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.WHY])
def test_unsubscribe_preferences_and_why_outlive_a_recall(client, delivery, purpose):
    delivery.cascade.state = CascadeState.RECALLED
    delivery.cascade.save()
    assert client.get(url(delivery, purpose)).status_code == 200


def test_pictures_of_the_item_open_without_sign_in_until_the_page_goes(client, delivery):
    file = io.BytesIO()
    Pillow.new("RGB", (1600, 900), (11, 95, 255)).save(file, "PNG")
    image = Image.objects.create(title="Router", file=ImageFile(file, "router.png"))
    page = republish(
        delivery.cascade.contents.get().page, body=[block("image", {"image": image.pk, "alt": "A router"})]
    )
    [source] = re.findall(r'<img src="(/files/signed/[^"]+)"', client.get(url(delivery, Purpose.VIEW)).text)
    assert client.get(source).status_code == 200
    page.unpublish()
    assert client.get(source).status_code == 404


# --- acting -------------------------------------------------------------------------------------------------------
def test_acknowledging_counts_once_and_says_so(delivery):
    client = Client(enforce_csrf_checks=True)  # the token is the secret; there is no cookie to steal
    html = client.get(url(delivery, Purpose.ACT)).content.decode()
    assert 'value="acknowledged"' in html
    for _time in range(3):
        response = client.post(url(delivery, Purpose.ACT), {"goal": "acknowledged"})
        assert response.status_code == 302
        assert response["Location"] == url(delivery, Purpose.ACT)
    completion = Completion.objects.get()
    assert (completion.cascade, completion.person) == (delivery.cascade, delivery.person)
    assert completion.evidence == {"through": "mail", "delivery": delivery.pk}
    html = client.get(url(delivery, Purpose.ACT)).content.decode()
    assert "Acknowledged" in html
    assert 'name="goal"' not in html


@pytest.mark.parametrize("goal", ["", "passed", "launched", "nonsense"])
def test_act_that_the_item_does_not_offer_is_not_recorded(client, delivery, goal):
    client.post(url(delivery, Purpose.ACT), {"goal": goal})
    assert Completion.objects.count() == 0
    assert LedgerEvent.objects.count() == 0


# --- unsubscribing ------------------------------------------------------------------------------------------------
def test_one_click_unsubscribe_needs_no_cookie_and_answers_with_nothing(delivery, distributor):
    client = Client(enforce_csrf_checks=True)
    for _time in range(3):
        response = client.post(url(delivery, Purpose.UNSUBSCRIBE), {"List-Unsubscribe": "One-Click"})
        assert (response.status_code, response.content) == (200, b"")
        assert response.cookies == {}
    suppression = Suppression.objects.get()
    assert (suppression.scope, suppression.sender) == (SuppressionScope.SENDER, distributor)
    assert suppression.email_hash == delivery.address.email_hash
    assert LedgerEvent.objects.filter(kind=LedgerKind.UNSUBSCRIBED).count() == 1


@pytest.mark.parametrize("scope", SuppressionScope.values)
def test_unsubscribe_stops_as_far_as_asked_and_can_be_taken_back(client, delivery, scope):
    address = url(delivery, Purpose.UNSUBSCRIBE)
    client.post(address, {"scope": scope})
    assert Suppression.objects.get().scope == scope
    html = client.get(address).content.decode()
    assert "You are unsubscribed" in html
    client.post(address, {"again": "1", "scope": scope})
    assert Suppression.objects.count() == 0
    assert 'name="scope"' in client.get(address).content.decode()


def test_unsubscribe_without_a_choice_asks_again(client, delivery):
    response = client.post(url(delivery, Purpose.UNSUBSCRIBE), {})
    assert "Please check this form" in response.content.decode()
    assert Suppression.objects.count() == 0


# --- preferences and why ------------------------------------------------------------------------------------------
def test_preferences_are_kept(client, delivery):
    address = url(delivery, Purpose.PREFERENCES)
    client.post(address, {"language": "de", "topics": ["news", "training"], "from_sender": "on"})
    delivery.person.refresh_from_db()
    assert delivery.person.language == "de"
    refused = set(Suppression.objects.values_list("scope", "topic"))
    assert refused == {(SuppressionScope.TOPIC, "events"), (SuppressionScope.TOPIC, "campaigns")}
    client.post(address, {"language": "", "topics": ["news", "training", "events", "campaigns"]})
    assert list(Suppression.objects.values_list("scope", flat=True)) == [SuppressionScope.SENDER]
    client.post(address, {"language": "", "topics": ["news", "training", "events", "campaigns"], "from_sender": "on"})
    assert Suppression.objects.count() == 0


def test_wanting_the_sender_again_lifts_a_refusal_of_everything(client, delivery):
    client.post(url(delivery, Purpose.UNSUBSCRIBE), {"scope": "global"})
    client.post(url(delivery, Purpose.PREFERENCES), {"topics": ["news"], "from_sender": "on"})
    assert not Suppression.objects.filter(scope__in=["global", "sender"]).exists()


def test_why_names_basis_company_and_sender(client, delivery):
    html = client.get(url(delivery, Purpose.WHY)).content.decode()
    assert "Cobalt Systems is a partner of Acme Distribution" in html
    assert "r•••@cobalt.example" in html
    assert "fair 2026" in html
    assert "Northwind" in html


@pytest.mark.parametrize(("purpose", "queries"), [(Purpose.VIEW, 6), (Purpose.ACT, 8), (Purpose.UNSUBSCRIBE, 3)])
def test_page_costs_the_same_whatever_else_was_sent(client, delivery, django_assert_num_queries, purpose, queries):
    client.get(url(delivery, purpose))
    with django_assert_num_queries(queries):
        client.get(url(delivery, purpose))
    for _row in range(30):
        DeliveryFactory(wave=delivery.wave, organization=delivery.organization)
    with django_assert_num_queries(queries):
        client.get(url(delivery, purpose))
