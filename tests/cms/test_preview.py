from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from cms import adaptation
from cms.models import ZoneEdit
from cms.preview import modes_of, preview
from tests.factories.accounts import BrandFactory, OrganizationFactory
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory
from tests.factories.cms import ContentPageFactory, block, open_block


@pytest.fixture
def signed_in(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def news(trees, distributor, distributor_manager):
    """An announcement that Acme adapted."""
    page = AnnouncementPageFactory(
        title="Firmware 9",
        body=[block("heading", "Update now", key="lead"), open_block("rich_text", "<p>Vendor words</p>", key="offer")],
    )
    CascadeFactory(page=page, distributors=[distributor])
    adaptation.save_edit(page, distributor, page.locale, "offer", "<p>Acme words</p>", by=distributor_manager)
    return page


@pytest.mark.parametrize("mode", ["web", "mail", "text"])
def test_preview_shows_a_distributors_words_and_name_in_every_form(news, distributor, other_distributor, mode):
    own, other, vendors = (preview(news, one, mode) for one in (distributor, other_distributor, None))

    assert "Acme words" in own
    assert "Acme" in own
    assert "Update now" in own
    for document in (other, vendors):
        assert "Vendor words" in document
        assert "Acme" not in document


def test_preview_of_a_page_that_is_never_mailed_is_a_web_page(page):
    assert [mode.value for mode in modes_of(page)] == ["web"]
    assert page.preview_modes == [("web", "Web page")]


def test_preview_screen_is_for_vendor_staff_only(
    news, vendor_editor, distributor_manager, reseller_member, signed_in, client
):
    urls = [reverse(f"onward:{name}", args=[news.pk]) for name in ("preview", "preview_frame", "access")]

    for url in urls:
        assert client.get(url).status_code == 302
        assert signed_in(distributor_manager).get(url).status_code == 403
        assert signed_in(reseller_member).get(url).status_code == 403
        assert signed_in(vendor_editor).get(url).status_code == 200
        client.logout()


def test_preview_screen_chooses_among_a_thousand_and_logs_the_look(
    news, distributor, vendor_editor, signed_in, django_assert_max_num_queries
):
    OrganizationFactory.create_batch(40)
    BrandFactory(organization=distributor)
    client = signed_in(vendor_editor)
    url = reverse("onward:preview", args=[news.pk])

    first = client.get(url)
    found = client.get(url, {"q": "acme"})
    frame = client.get(reverse("onward:preview_frame", args=[news.pk]), {"distributor": distributor.pk, "mode": "mail"})
    for _time in range(2):
        client.get(url, {"distributor": distributor.pk})

    assert first.text.count("distributor=") < 30
    assert "1–15 of" in first.text
    assert "Acme Distribution" in found.text
    assert "Distributor 1" not in found.text
    assert "Acme words" in frame.text
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "script-src" not in frame["Content-Security-Policy"]
    assert AuditEvent.objects.filter(name="page.previewed", owner=distributor, actor=vendor_editor).count() == 1
    assert ZoneEdit.objects.count() == 1


def test_editors_side_panel_follows_the_chosen_distributor(news, distributor, vendor_editor, signed_in):
    client = signed_in(vendor_editor)
    client.get(reverse("onward:preview", args=[news.pk]), {"distributor": distributor.pk})
    url = reverse("wagtailadmin_pages:view_draft", args=[news.pk])

    assert "Acme words" in client.get(url).text
    client.get(reverse("onward:preview", args=[news.pk]), {"distributor": "0"})
    assert "Vendor words" in client.get(url).text


def test_preview_shows_the_draft_to_its_editors(trees, vendor_editor, signed_in):
    page = ContentPageFactory(title="Not yet", body=[block("heading", "Live words")])
    page.body = [("heading", {"content": "Draft words", "editable": "locked", "presence": "always"})]
    page.save_revision()

    html = signed_in(vendor_editor).get(reverse("onward:preview_frame", args=[page.pk])).text

    assert "Draft words" in html


def test_access_screen_says_why_an_organization_can_or_cannot(
    news, distributor, other_distributor, distributor_manager, vendor_editor, signed_in
):
    client = signed_in(vendor_editor)
    url = reverse("onward:access", args=[news.pk])

    yes = client.get(url, {"distributor": distributor.pk}).text
    no = client.get(url, {"distributor": other_distributor.pk}).text

    assert "Acme Distribution can see this page" in yes
    assert "The item was passed on to them." in yes
    assert "Borealis Handels GmbH cannot see this page" in no
    assert "not passed on to them" in no
    assert "1 organization so far" in yes
