"""Turns an uploaded logo into a clean PNG, in a process of its own that may be killed.

Run as ``python -m accounts.logo_reader`` with the upload on standard input. It writes one line of JSON to standard
output and then the bytes it announces. An image decoder is the likeliest thing in the product to crash, hang or eat
memory on a hostile file; here it has seconds and megabytes of its own and takes nothing down with it. No Django here.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
from typing import Any

MAX_PIXELS = 24_000_000
MAX_SVG_BYTES = 512 * 1024
MAX_CANVAS = 20_000  # SVG user units on a side
MAX_USES = 200  # an SVG that references itself grows without limit
CPU_SECONDS = 10
MEMORY_BYTES = 1536 * 1024 * 1024  # address space; libvips alone maps some hundred megabytes
OUTPUT_WIDTH, OUTPUT_HEIGHT = 800, 320  # twice the largest place a logo is shown

_SVG = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:svg|!DOCTYPE svg)", re.S | re.I)


class Refused(Exception):
    """The upload cannot be used; the first argument is a code that accounts.brands puts into words."""


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def kind_of(data: bytes) -> str:
    """What the bytes are, whatever the file is called: png, jpeg, webp, svg or nothing."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return "svg" if _SVG.match(data[:4096]) else ""


def clean_svg(data: bytes) -> bytes:
    """The drawing without scripts, styles that fetch, foreign references and entities. Raises Refused."""
    import py_svg_hush

    if len(data) > MAX_SVG_BYTES:
        raise Refused("svg_too_large")
    if b"<!ENTITY" in data.upper() or data.count(b"<use") > MAX_USES:
        raise Refused("svg_unsafe")
    try:
        cleaned = py_svg_hush.filter_svg(data, keep_data_url_mime_types={"image": ["png", "jpeg", "webp"]})
    except ValueError as error:
        raise Refused("unreadable") from error
    # The sanitizer rewrites foreign addresses to paths of ours; a logo needs neither.
    return re.sub(rb"""\s(?:xlink:)?href=(?:"(?!#|data:image/)[^"]*"|'(?!#|data:image/)[^']*')""", b"", cleaned)


def _raster_of_svg(data: bytes) -> Any:
    import pyvips

    try:
        header = pyvips.Image.svgload_buffer(data)
        if max(header.width, header.height) > MAX_CANVAS:
            raise Refused("too_many_pixels")
        if min(header.width, header.height) < 1:
            raise Refused("unreadable")
        scale = min(OUTPUT_WIDTH / header.width, OUTPUT_HEIGHT / header.height)
        return _pillow(pyvips.Image.svgload_buffer(data, scale=scale).pngsave_buffer())
    except pyvips.Error as error:
        raise Refused("unreadable") from error


def _pillow(data: bytes) -> Any:
    from PIL import Image, ImageCms, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            raise Refused("too_many_pixels")
        image = ImageOps.exif_transpose(image)
        if image.mode == "CMYK":
            profile = image.info.get("icc_profile")
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else None
            converted = (
                ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if source
                else image.convert("RGB")
            )
            image = converted or image.convert("RGB")
        return image.convert("RGBA")
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise Refused("too_many_pixels") from error
    except Exception as error:
        raise Refused("unreadable") from error


def suggested_colors(image: Any) -> list[str]:
    """Up to four colors of the logo that can carry a brand: frequent, not white, not gray; frequent first."""
    small = image.copy()
    small.thumbnail((120, 120))
    solid = [(r, g, b) for r, g, b, a in small.getdata() if a > 200]
    counts: dict[tuple[int, int, int], int] = {}
    for r, g, b in solid:
        key = (min(r // 24 * 24 + 12, 255), min(g // 24 * 24 + 12, 255), min(b // 24 * 24 + 12, 255))
        counts[key] = counts.get(key, 0) + 1
    frequent = sorted(counts, key=lambda color: -counts[color])
    chosen: list[tuple[int, int, int]] = []
    for color in frequent:
        usable = max(color) - min(color) > 30 or max(color) < 90
        if usable and all(sum(abs(a - b) for a, b in zip(color, other, strict=True)) > 90 for other in chosen):
            chosen.append(color)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in chosen[:4]]


def read(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Facts, the PNG, and the cleaned SVG (empty for rasters) of an upload. Raises Refused."""
    kind = kind_of(data)
    if not kind:
        raise Refused("unknown_type")
    vector = clean_svg(data) if kind == "svg" else b""
    image = _raster_of_svg(vector) if vector else _pillow(data)
    box = image.getchannel("A").getbbox()
    if box is None:
        raise Refused("empty")
    image = image.crop(box)  # transparent margins would make the logo smaller than its neighbors
    image.thumbnail((OUTPUT_WIDTH, OUTPUT_HEIGHT))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    facts = {"kind": kind, "width": image.width, "height": image.height, "colors": suggested_colors(image)}
    return facts, out.getvalue(), vector


def main() -> None:
    """Read standard input, answer on standard output."""
    _limit()
    try:
        facts, png, svg = read(sys.stdin.buffer.read())
    except Refused as refusal:
        facts, png, svg = {"refused": refusal.args[0]}, b"", b""
    facts |= {"png": len(png), "svg": len(svg)}
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + png + svg)


if __name__ == "__main__":
    main()
