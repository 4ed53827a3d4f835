from __future__ import annotations

import pytest
from django.urls import reverse
from wagtail.models import PageLogEntry

from cms import access, adaptation
from tests.factories.cms import (
    AccessRuleFactory,
    ContentPageFactory,
    SectionPageFactory,
    block,
    open_block,
)


@pytest.fixture
def signed_in(client):
    """A client that is signed in as somebody."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def test_content_page_shows_what_the_viewers_distributor_passes_on(
    page, distributor, distributor_manager, reseller_member, reseller_stranger, signed_in
):
    adaptation.save_edit(page, distributor, page.locale, "offer", "<p>Ask Acme.</p>", by=distributor_manager)

    own = signed_in(reseller_member).get(page.url)
    other = signed_in(reseller_stranger).get(page.url)

    assert (own.status_code, other.status_code) == (200, 200)
    assert "Ask Acme." in own.text
    assert "Ask Acme." not in other.text
    assert "Ask your distributor." in other.text
    assert own["Cache-Control"] == "private, no-cache"


def test_content_page_is_404_for_who_may_not_see_it_and_sign_in_for_who_is_unknown(
    trees, reseller_member, distributor_member, vendor_editor, signed_in, client
):
    page = ContentPageFactory(title="Secret prices", parent=trees.distributors)

    assert client.get(page.url).status_code == 302
    assert signed_in(reseller_member).get(page.url).status_code == 404
    assert signed_in(distributor_member).get(page.url).status_code == 200
    assert signed_in(vendor_editor).get(page.url).status_code == 200


def test_wagtails_own_serving_asks_the_same_gate(trees, reseller_member, distributor_member, rf):
    """Our view answers all addresses; should Wagtail's ever be reached, it is no way around."""
    from django.http import Http404
    from wagtail.views import serve

    page = ContentPageFactory(parent=trees.distributors, slug="secret")
    request = rf.get(page.url)
    request.user = reseller_member
    with pytest.raises(Http404):
        serve(request, "distributors/secret/")


def test_restricted_section_is_in_no_list_breadcrumb_or_search(trees, reseller_member, reseller_stranger, signed_in):
    section = SectionPageFactory(title="Platinum partners", parent=trees.resellers)
    inner = ContentPageFactory(title="Platinum prices", parent=section, summary="Platinum summary")
    rule = AccessRuleFactory(root=section.page_ptr)
    access.grant(rule, reseller_member)

    allowed = signed_in(reseller_member)
    assert "Platinum partners" in allowed.get(trees.resellers.url).text
    assert "Platinum prices" in allowed.get(reverse("search"), {"q": "platinum"}).text
    assert "Platinum partners" in allowed.get(inner.url).text

    stranger = signed_in(reseller_stranger)
    assert "Platinum" not in stranger.get(trees.resellers.url).text
    found = stranger.get(reverse("search"), {"q": "platinum"})
    assert "Platinum" not in found.text
    assert "Nothing found" in found.text
    assert stranger.get(section.url).status_code == stranger.get(inner.url).status_code == 404


def test_search_finds_words_of_the_body_but_not_of_settings_and_guidance(trees, reseller_member, signed_in):
    ContentPageFactory(
        title="Launch",
        body=[
            open_block("rich_text", "<p>The wombat is back</p>", guidance="Mention the zebra"),
            block("heading", "Hi"),
        ],
    )
    client = signed_in(reseller_member)

    assert "Launch" in client.get(reverse("search"), {"q": "wombat"}).text
    assert "Launch" in client.get(reverse("search"), {"q": "laun"}).text  # the beginning of a title
    for hidden in ("zebra", "locked"):
        assert "Nothing found" in client.get(reverse("search"), {"q": hidden}).text


@pytest.mark.parametrize("query", ["", "   ", "x" * 300, "'; DROP TABLE", '"unfinished', "a OR (b", "%_*", "🙂"])
def test_search_survives_any_words(trees, reseller_member, signed_in, query):
    assert signed_in(reseller_member).get(reverse("search"), {"q": query}).status_code == 200


def test_drafts_and_unpublished_pages_are_found_nowhere(trees, reseller_member, signed_in):
    draft = ContentPageFactory(title="Wombat draft", publish=False)
    gone = ContentPageFactory(title="Wombat gone")
    gone.unpublish()
    client = signed_in(reseller_member)

    assert "Wombat" not in client.get(trees.resellers.url).text
    assert "Nothing found" in client.get(reverse("search"), {"q": "wombat"}).text
    assert client.get(draft.url).status_code == client.get(gone.url).status_code == 404


def test_content_home_leads_to_the_level_of_the_person(
    trees, reseller_member, distributor_member, vendor_editor, signed_in
):
    assert signed_in(reseller_member).get(reverse("content"))["Location"] == trees.resellers.url
    for person in (distributor_member, vendor_editor):
        assert signed_in(person).get(reverse("content"))["Location"] == trees.distributors.url


def _queries(client, url, django_assert_max_num_queries):
    with django_assert_max_num_queries(60) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_pages_cost_the_same_with_one_and_thirty_siblings(
    trees, distributor, distributor_manager, reseller_member, signed_in, django_assert_max_num_queries
):
    section = SectionPageFactory(parent=trees.resellers)
    page = ContentPageFactory(title="Wombat", title_is_open=True, parent=section, body=[open_block("heading", "Hi")])
    adaptation.save_edit(page, distributor, page.locale, "field:title", "Our wombat", by=distributor_manager)
    client = signed_in(reseller_member)
    urls = [page.url, section.url, reverse("search") + "?q=wombat"]
    for url in urls:
        client.get(url)  # what is cached for the life of the process is cached now

    one = [_queries(client, url, django_assert_max_num_queries) for url in urls]
    for n in range(22):
        ContentPageFactory(title=f"Wombat {n}", parent=section)
    thirty = [_queries(client, url, django_assert_max_num_queries) for url in urls]

    assert one == thirty
    assert thirty == [11, 17, 12]
    assert "Our wombat" in client.get(section.url).text


def test_reading_writes_nothing(page, reseller_member, signed_in):
    count = PageLogEntry.objects.count()
    signed_in(reseller_member).get(page.url)

    assert PageLogEntry.objects.count() == count
