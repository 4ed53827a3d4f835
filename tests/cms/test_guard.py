from __future__ import annotations

import pytest
from django.urls import reverse
from wagtail.models import Page

from cms.enums import Job
from cms.models import ContentPage
from tests.factories.cascade import AnnouncementPageFactory, CascadeFactory
from tests.factories.cms import ContentPageFactory, SectionPageFactory


@pytest.fixture
def admin(client, vendor, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root@northwind.example", "x"))
    return client


def form_data(title: str, **extra) -> dict:
    empty_body = {"body-count": "0"}
    fields = {"title": title, "slug": title.lower(), "summary": "", "job": "", "subject": "", "preview_text": ""}
    return {**fields, **empty_body, "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0, **extra}


def test_publishing_without_a_job_is_refused_at_the_field_and_a_draft_is_not(admin, trees):
    url = reverse("wagtailadmin_pages:add", args=["cms", "contentpage", trees.resellers.pk])

    refused = admin.post(url, form_data("Published", **{"action-publish": "1"}))
    draft = admin.post(url, form_data("Draft"))
    published = admin.post(url, form_data("Good", job=Job.MARKET, **{"action-publish": "1"}))

    assert refused.status_code == 200
    assert "job" in refused.context["form"].errors
    assert not ContentPage.objects.filter(title="Published").exists()
    assert (draft.status_code, published.status_code) == (302, 302)
    assert ContentPage.objects.get(title="Good").live


def test_bulk_publishing_without_a_job_is_refused_with_a_reason(admin, trees):
    page = ContentPageFactory(title="Jobless", job="", publish=False)
    page.save_revision()
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "publish"])

    answer = admin.post(f"{url}?id={page.pk}", follow=True)

    assert "has no job yet" in answer.text
    page.refresh_from_db()
    assert not page.live


def test_selling_at_the_distributor_level_draws_a_warning_and_is_published(admin, trees):
    url = reverse("wagtailadmin_pages:add", args=["cms", "contentpage", trees.distributors.pk])

    answer = admin.post(url, form_data("Sell", job=Job.SELL, **{"action-publish": "1"}), follow=True)

    assert "where resellers never see it" in answer.text
    assert ContentPage.objects.get(title="Sell").live


@pytest.fixture
def carried(trees):
    """An announcement in a section, on its way in an open cascade."""
    section = SectionPageFactory(title="News", parent=trees.resellers)
    page = AnnouncementPageFactory(title="Firmware", parent=section)
    CascadeFactory(name="Firmware to all", page=page)
    return page


@pytest.mark.parametrize("action", ["delete", "unpublish"])
def test_carried_page_and_its_section_stay_with_a_reason(admin, carried, action):
    for page in (carried, carried.get_parent()):
        data = {"include_descendants": "on"}
        answer = admin.post(reverse(f"wagtailadmin_pages:{action}", args=[page.pk]), data, follow=True)
        assert answer.status_code == 200
        assert "on its way in the cascade “Firmware to all”" in answer.text

    assert Page.objects.get(pk=carried.pk).live


def test_carried_page_is_not_moved(admin, carried, trees):
    url = reverse("wagtailadmin_pages:move_confirm", args=[carried.pk, trees.resellers.pk])

    answer = admin.post(url, follow=True)

    assert "on its way in the cascade" in answer.text
    assert Page.objects.get(pk=carried.pk).get_parent().title == "News"


@pytest.mark.parametrize("action", ["delete", "unpublish", "move"])
def test_carried_page_stays_in_bulk_actions_too(admin, carried, trees, action):
    free = ContentPageFactory(title="Free")
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", action])

    answer = admin.post(f"{url}?id={free.pk}&id={carried.pk}", {"chooser": trees.distributors.pk}, follow=True)

    assert answer.status_code == 200
    assert "on its way in the cascade" in answer.text
    assert {page.live for page in Page.objects.filter(pk__in=[free.pk, carried.pk])} == {True}
    assert Page.objects.get(pk=carried.pk).get_parent().title == "News"


def test_page_of_a_closed_cascade_may_be_unpublished_but_not_deleted(admin, trees):
    page = AnnouncementPageFactory(title="Old", parent=trees.resellers)
    CascadeFactory(page=page, closed=True)

    deleted = admin.post(reverse("wagtailadmin_pages:delete", args=[page.pk]), follow=True)
    admin.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))

    assert "kept as evidence" in deleted.text
    assert not Page.objects.get(pk=page.pk).live


def test_page_that_nobody_carries_is_deleted(admin, trees):
    page = ContentPageFactory()

    admin.post(reverse("wagtailadmin_pages:delete", args=[page.pk]))

    assert not Page.objects.filter(pk=page.pk).exists()
