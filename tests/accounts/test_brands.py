"""Logos: what is taken in, cleaned, and refused with words."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.exceptions import ValidationError
from PIL import Image, ImageDraw

from accounts import brands

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'viewBox="0 0 200 60" {size}>{body}</svg>'
)
SHAPE = '<rect x="20" y="10" width="160" height="40" fill="#c8102e"/>'


def picture(format_: str, *, size=(400, 120), mode="RGB", color=(200, 16, 46)) -> bytes:
    image = Image.new(mode, size, color)
    if mode == "RGB":
        ImageDraw.Draw(image).rectangle((10, 10, 60, 60), fill=(255, 255, 255))
    out = io.BytesIO()
    image.save(out, format_)
    return out.getvalue()


def svg(body: str = SHAPE, size: str = 'width="200" height="60"') -> bytes:
    return SVG.format(body=body, size=size).encode()


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes whose header announces ``width`` × ``height`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as caught:
        brands.read_logo(io.BytesIO(data))
    return caught.value.code


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_read_logo_of_a_raster_gives_a_png(format_):
    logo = brands.read_logo(io.BytesIO(picture(format_)))
    assert Image.open(io.BytesIO(logo.png)).format == "PNG"
    assert (logo.width, logo.height) == (400, 120)
    assert logo.svg == b""


def test_read_logo_of_cmyk_gives_rgb():
    logo = brands.read_logo(io.BytesIO(picture("JPEG", mode="CMYK", color=(0, 230, 200, 20))))
    assert Image.open(io.BytesIO(logo.png)).mode in {"RGB", "RGBA"}


def test_read_logo_suggests_the_color_of_the_logo():
    logo = brands.read_logo(io.BytesIO(picture("PNG")))
    red, green, blue = (int(logo.colors[0][i : i + 2], 16) for i in (1, 3, 5))
    assert abs(red - 200) < 24
    assert abs(green - 16) < 24
    assert abs(blue - 46) < 24


def test_read_logo_of_svg_is_cropped_rendered_and_kept_as_vector():
    logo = brands.read_logo(io.BytesIO(svg()))
    assert logo.width == pytest.approx(640, abs=8)  # the rectangle without its margins, four times as large
    assert b"<rect" in logo.svg


def test_read_logo_of_svg_takes_out_scripts_and_foreign_references():
    body = SHAPE + (
        "<script>alert(1)</script>"
        '<image href="http://evil.example/x.png" width="9" height="9"/>'
        '<image xlink:href="file:///etc/passwd" width="9" height="9"/>'
        '<a href="javascript:alert(1)"><text x="1" y="20">x</text></a>'
        '<rect width="5" height="5" onload="alert(1)"/>'
    )
    logo = brands.read_logo(io.BytesIO(svg(body)))
    for poison in (b"script", b"evil.example", b"passwd", b"javascript", b"onload"):
        assert poison not in logo.svg


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"MZ\x90\x00 not a picture", "unknown_type"),
        (b"%PDF-1.7", "unknown_type"),
        (picture("PNG")[:300], "unreadable"),
        (png_that_claims(10_000, 6_000), "too_many_pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * brands.MAX_BYTES, "too_large"),
        (svg(size='width="200000" height="200000"'), "too_many_pixels"),
        (svg('<use href="#a"/>' * 300), "svg_unsafe"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), "unknown_type"),
        (b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), "svg_unsafe"),
        (b"<svg><rect", "unreadable"),
        (svg(" " * 600_000), "svg_too_large"),
        (svg('<rect width="10" height="10" fill="none"/>'), "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_read_logo_refuses_with_a_reason(data, code):
    found = refusal(data)
    # A DOCTYPE in front is named either as no SVG or as an unsafe one.
    assert found == code or (code == "unknown_type" and data.startswith(b"<!DOCTYPE") and found == "svg_unsafe")


def test_read_logo_survives_a_file_that_expands_without_end():
    nested = "".join(f'<g id="g{n}"><use href="#g{n - 1}"/><use href="#g{n - 1}"/></g>' for n in range(1, 60))
    body = f'<defs><g id="g0">{SHAPE}</g>{nested}</defs><use href="#g59"/>'
    assert refusal(svg(body)) in {"crashed", "unreadable", "empty"}


def test_set_logo_names_the_file_by_its_content(distributor):
    logo = brands.read_logo(io.BytesIO(picture("PNG")))
    brands.set_logo(distributor.brand, logo)
    first = distributor.brand.logo.name
    brands.set_logo(distributor.brand, brands.read_logo(io.BytesIO(picture("PNG", color=(1, 2, 3)))))
    assert distributor.brand.logo.name != first
    assert distributor.brand.logo_width == 400


def test_missing_names_what_a_sender_needs(distributor):
    brand = distributor.brand
    brand.sender_name, brand.reply_to, brand.postal_address = "Acme", "", ""
    assert brands.missing(brand) == ["reply-to address", "postal address"]
