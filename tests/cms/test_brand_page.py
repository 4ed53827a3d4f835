"""The brand page: own brand only, errors at the field, a preview that never fails."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Brand
from cms.theme import logo_url, stylesheet_url
from tests.accounts.test_brands import picture

VALID = {
    "color": "#c8102e",
    "sender_name": "Acme Partner Team",
    "reply_to": "hi@acme.example",
    "postal_address": "1 Way",
}


def test_brand_saved_by_a_manager_changes_colors_and_logo(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    upload = SimpleUploadedFile("logo.png", picture("PNG"))
    assert client.post(reverse("brand"), {**VALID, "new_logo": upload}).status_code == 302
    brand = Brand.objects.get(organization=distributor)
    assert (brand.color, brand.sender_name) == ("#c8102e", "Acme Partner Team")
    client.logout()
    assert "--accent:#c8102e;--on-accent:#ffffff" in client.get(stylesheet_url(brand)).content.decode()
    shown = client.get(logo_url(brand))
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert "immutable" in shown["Cache-Control"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"color": "red"}, "color", "six hex digits"),
        ({"sender_name": "Acme\nBcc: x@example.com"}, "sender_name", "line breaks"),
        ({"reply_to": "nobody"}, "reply_to", "valid email"),
        ({"new_logo": SimpleUploadedFile("logo.png", b"MZ nothing")}, "new_logo", "not a PNG, JPEG, WebP or SVG"),
    ],
)
def test_brand_with_bad_input_says_so_at_the_field_and_keeps_the_rest(
    client, distributor, distributor_manager, changes, field, words
):
    client.force_login(distributor_manager)
    before = Brand.objects.values().get(organization=distributor)
    response = client.post(reverse("brand"), {**VALID, **changes})
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    assert Brand.objects.values().get(organization=distributor) == before


def test_brand_is_read_only_for_a_member(client, distributor, distributor_member):
    client.force_login(distributor_member)
    assert "Save brand" not in client.get(reverse("brand")).content.decode()
    assert client.post(reverse("brand"), VALID).status_code == 403
    assert Brand.objects.get(organization=distributor).color != "#c8102e"


def test_brand_of_the_stranger_is_their_own(client, distributor, other_distributor, stranger):
    client.force_login(stranger)
    client.post(reverse("brand"), VALID)
    assert Brand.objects.get(organization=other_distributor).color == "#c8102e"
    assert Brand.objects.get(organization=distributor).color != "#c8102e"
    assert distributor.name not in client.get(reverse("brand")).content.decode()


def test_preview_shows_unsaved_values_and_ignores_unusable_ones(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    html = client.get(reverse("brand_preview"), {"color": "#abcdef", "sender_name": "Not saved yet"}).content.decode()
    assert "#abcdef" in html
    assert "Not saved yet" in html
    broken = client.get(reverse("brand_preview"), {"color": "x", "reply_to": "y"})
    assert broken.status_code == 200
    assert distributor.brand.color in broken.content.decode()
    assert Brand.objects.get(organization=distributor).sender_name != "Not saved yet"


def test_old_logo_is_no_longer_served(client, distributor, distributor_manager):
    client.force_login(distributor_manager)
    client.post(reverse("brand"), {**VALID, "new_logo": SimpleUploadedFile("a.png", picture("PNG"))})
    old = logo_url(Brand.objects.get(organization=distributor))
    client.post(reverse("brand"), {**VALID, "new_logo": SimpleUploadedFile("b.png", picture("PNG", color=(0, 90, 0)))})
    assert client.get(old).status_code == 404


def test_brand_page_asks_anonymous_people_to_sign_in(client, db):
    assert client.get(reverse("brand")).status_code == 302
    assert client.get(reverse("brand_preview")).status_code == 302
