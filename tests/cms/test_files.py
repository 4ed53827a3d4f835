from __future__ import annotations

import io

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.urls import NoReverseMatch, reverse
from PIL import Image as Pillow
from wagtail.documents.models import Document
from wagtail.images.models import Image

from cms import adaptation, mail_images
from cms.effective import effective
from cms.files import PortalLinks, SignedLinks
from cms.media import own_collection
from tests.factories.cms import ContentPageFactory, ResourcePageFactory, block, open_block


def picture(title: str = "Router", **kwargs) -> Image:
    file = io.BytesIO()
    Pillow.new("RGB", (1600, 900), (11, 95, 255)).save(file, "PNG")
    return Image.objects.create(title=title, file=ImageFile(file, f"{title.lower()}.png"), **kwargs)


def document(title: str = "Datasheet", name: str = "datasheet.pdf", data: bytes = b"%PDF-1.4", **kwargs) -> Document:
    return Document.objects.create(title=title, file=ContentFile(data, name), **kwargs)


@pytest.fixture
def signed_in(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def illustrated(trees):
    """A page of the distributor level with a picture and a file."""
    return ContentPageFactory(
        parent=trees.distributors,
        body=[
            block("image", {"image": picture().pk, "alt": "A router"}, key="picture"),
            block("document", {"document": document().pk}, key="file"),
        ],
    )


def links_of(page) -> tuple[str, str]:
    image, file = Image.objects.get(), Document.objects.get()
    return PortalLinks(page.pk).image(image, 960), PortalLinks(page.pk).document(file)


def test_files_open_for_who_sees_their_page_only(illustrated, distributor_member, reseller_member, signed_in, client):
    image, file = links_of(illustrated)

    for url in (image, file):
        assert client.get(url).status_code == 404
        assert signed_in(reseller_member).get(url).status_code == 404
        answer = signed_in(distributor_member).get(url)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, max-age=600"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert b"".join(answer.streaming_content)
        client.logout()


def test_page_shows_its_pictures_and_files_at_those_addresses(illustrated, distributor_member, signed_in):
    image, file = links_of(illustrated)
    html = signed_in(distributor_member).get(illustrated.url).text

    assert f'src="{image}"' in html
    assert f'href="{file}"' in html
    assert "/media/" not in html


def test_file_of_another_page_does_not_open_through_this_one(illustrated, trees, distributor_member, signed_in):
    other = picture("Other")
    secret = document("Other")
    client = signed_in(distributor_member)

    assert client.get(PortalLinks(illustrated.pk).image(other, 960)).status_code == 404
    assert client.get(PortalLinks(illustrated.pk).document(secret)).status_code == 404


def test_unpublished_page_takes_its_files_along(illustrated, distributor_member, signed_in):
    illustrated.unpublish()

    for url in links_of(illustrated):
        assert signed_in(distributor_member).get(url).status_code == 404


def test_only_three_widths_can_be_asked_for(illustrated, distributor_member, signed_in):
    url = reverse("content_image", args=[illustrated.pk, Image.objects.get().pk, 961])

    assert signed_in(distributor_member).get(url).status_code == 404


def test_own_picture_of_a_distributor_opens_for_its_readers_only(
    trees, distributor, distributor_manager, reseller_member, reseller_stranger, signed_in
):
    page = ContentPageFactory(body=[open_block("image", {"image": picture().pk, "alt": ""}, key="picture")])
    distributor.refresh_from_db()
    own = picture("Own", collection=own_collection(distributor))
    adaptation.save_edit(
        page, distributor, page.locale, "picture", {"image": own.pk, "alt": "Ours"}, by=distributor_manager
    )
    url = PortalLinks(page.pk).image(own, 480)

    assert signed_in(reseller_member).get(url).status_code == 200
    assert signed_in(reseller_stranger).get(url).status_code == 404


def test_picture_of_another_organization_cannot_be_used(
    trees, distributor, other_distributor, distributor_manager, signed_in
):
    from django.core.exceptions import ValidationError

    page = ContentPageFactory(body=[open_block("image", {"image": picture().pk, "alt": ""}, key="picture")])
    for organization in (distributor, other_distributor):
        organization.refresh_from_db()
    foreign = picture("Foreign", collection=own_collection(other_distributor))

    for pk in (foreign.pk, picture("Vendor's unpublished").pk, 999, "x"):
        with pytest.raises(ValidationError):
            adaptation.save_edit(page, distributor, page.locale, "picture", {"image": pk}, by=distributor_manager)


def test_resource_page_lists_its_files_for_download(trees, reseller_member, signed_in):
    page = ResourcePageFactory(title="Price lists")
    page.files.create(document=document("Prices", "prices.html", b"<script>alert(1)</script>"), label="Prices 2026")
    page.save()
    client = signed_in(reseller_member)

    html = client.get(page.url).text
    answer = client.get(PortalLinks(page.pk).document(Document.objects.get()))

    assert "Prices 2026" in html
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_signed_links_open_without_sign_in_for_minutes(illustrated, client):
    links = SignedLinks(illustrated.pk, None)
    with time_machine.travel("2026-05-04 10:00Z", tick=False) as clock:
        urls = [links.image(Image.objects.get(), 960), links.document(Document.objects.get())]
        assert [client.get(url).status_code for url in urls] == [200, 200]
        clock.shift(31 * 60)
        assert [client.get(url).status_code for url in urls] == [404, 404]
    assert client.get(urls[0][:-3] + "x/").status_code == 404


def test_signed_links_end_with_their_page(illustrated, client):
    url = SignedLinks(illustrated.pk, None).image(Image.objects.get(), 960)
    illustrated.unpublish()

    assert client.get(url).status_code == 404


def test_wagtails_own_addresses_and_the_media_folder_are_for_vendor_staff(
    illustrated, vendor_editor, distributor_manager, signed_in, client
):
    image, file = Image.objects.get(), Document.objects.get()
    urls = [f"/media/{image.file.name}", f"/media/{file.file.name}", file.url]

    for url in urls:
        assert client.get(url).status_code == 404
        assert signed_in(distributor_manager).get(url).status_code == 404
        assert signed_in(vendor_editor).get(url).status_code == 200
        client.logout()
    assert signed_in(vendor_editor).get("/media/../config/settings/base.py").status_code in {400, 404}
    with pytest.raises(NoReverseMatch):
        reverse("wagtailimages_serve", args=["x", 1, "width-1"])


def test_mail_pictures_are_public_at_addresses_nobody_can_guess_until_withdrawn(trees, client):
    image = picture()

    url = mail_images.public_url(image, "width-1072", scope="cascade-1")
    kept = mail_images.public_url(image, "width-1072", scope="cascade-2")

    assert url == mail_images.public_url(image, "width-1072", scope="cascade-1") != kept
    assert str(image.pk) not in url.split("/")
    assert "router" not in url
    answer = client.get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert "Set-Cookie" not in answer
    assert mail_images.withdraw("cascade-1") == 1
    assert mail_images.withdraw("cascade-1") == 0
    assert [client.get(address).status_code for address in (url, kept)] == [404, 200]


def test_effective_of_dropped_picture_closes_it(trees, distributor, distributor_manager, reseller_member, signed_in):
    page = ContentPageFactory(
        body=[open_block("image", {"image": picture().pk, "alt": ""}, key="picture", presence="droppable")]
    )
    url = PortalLinks(page.pk).image(Image.objects.get(), 480)
    before = signed_in(reseller_member).get(url).status_code
    adaptation.save_edit(page, distributor, page.locale, "picture", dropped=True, by=distributor_manager)

    assert effective(page, distributor, page.locale).zone("picture").is_dropped
    assert (before, signed_in(reseller_member).get(url).status_code) == (200, 404)
