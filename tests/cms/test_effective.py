from __future__ import annotations

import copy

from cms import adaptation
from cms.effective import body_text, effective, effective_many, search_text
from cms.models import ContentPage
from tests.factories.cms import ContentPageFactory, block, open_block


def test_effective_adds_one_query_and_leaves_the_page_alone(
    page, distributor, distributor_manager, django_assert_num_queries
):
    adaptation.save_edit(page, distributor, page.locale, "offer", "<p>Mine</p>", by=distributor_manager)
    adaptation.save_edit(page, distributor, page.locale, "field:subject", "Ours", by=distributor_manager)
    page = ContentPage.objects.select_related("locale").get(pk=page.pk)
    before = copy.deepcopy(page.body.get_prep_value())

    with django_assert_num_queries(1):
        shown = effective(page, distributor, page.locale)
        [str(child.value["content"]) for child in shown.body]
    with django_assert_num_queries(0):
        effective(page, None, page.locale)

    assert (shown.subject, shown.title, shown.is_adapted) == ("Ours", "New firewall", True)
    assert shown.updated_at > page.last_published_at
    assert page.subject == "Meet the new firewall"
    assert page.body.get_prep_value() == before


def test_effective_many_costs_the_same_for_one_and_thirty(
    trees, distributor, distributor_manager, django_assert_num_queries
):
    pages = [
        ContentPageFactory(title=f"Page {n}", title_is_open=True, body=[open_block("heading", "Hi", key=f"h{n}")])
        for n in range(30)
    ]
    adaptation.save_edit(pages[3], distributor, pages[3].locale, "h3", "Ours", by=distributor_manager)

    for count in (1, 30):
        with django_assert_num_queries(2):
            shown = effective_many(pages[:count], distributor)
        assert len(shown) == count
    assert [item.zones[-1].value for item in shown[2:5]] == ["Hi", "Ours", "Hi"]


def test_effective_without_adaptation_is_the_vendors(page, distributor):
    shown = effective(page, distributor, page.locale)

    assert (shown.title, shown.is_adapted, shown.updated_at) == ("New firewall", False, page.last_published_at)
    assert [child.block_type for child in shown.body] == ["heading", "rich_text", "quote", "rich_text"]


def test_body_text_is_written_for_people(trees):
    page = ContentPageFactory(
        body=[
            block("heading", "Meet it"),
            block(
                "rich_text",
                '<p>It is <b>fast</b>.<br/>See <a href="https://a.example/x">the tests</a> first.</p>'
                "<h3>Why</h3><ul><li>Small</li><li>Quiet</li></ul><ol><li>Ask</li><li>Buy</li></ol>"
                "<p>Fish &amp; chips</p>",
            ),
            block("quote", {"text": "It works.\nReally.", "attribution": "A user"}),
            block("button", {"label": "Order now", "url": "https://a.example/order"}),
        ]
    )

    assert body_text(effective(page, None, page.locale)) == (
        "Meet it\n-------\n\n"
        "It is fast.\nSee the tests first.\nhttps://a.example/x\n\n"
        "Why\n---\n\n"
        "- Small\n- Quiet\n\n"
        "1. Ask\n2. Buy\n\n"
        "Fish & chips\n\n"
        "> It works.\n> Really.\n> — A user\n\n"
        "Order now:\nhttps://a.example/order"
    )


def test_body_text_makes_links_to_own_pages_absolute(trees):
    target = ContentPageFactory(title="Terms", slug="terms")
    page = ContentPageFactory(
        body=[block("rich_text", f'<p>See <a linktype="page" id="{target.pk}">the terms</a>.</p>')]
    )

    text = body_text(effective(page, None, page.locale), base_url="https://portal.example")

    assert text == "See the terms.\nhttps://portal.example/content/resellers/terms/"


def test_search_text_holds_every_word_that_is_shown(page, distributor, distributor_manager):
    adaptation.save_edit(page, distributor, page.locale, "extra", dropped=True, by=distributor_manager)

    text = search_text(effective(page, distributor, page.locale))

    assert "Sell more firewalls" in text
    assert "It works" not in text
