"""The verbs of a brand: take in a logo, say what is still missing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand

MAX_BYTES = 4 * 1024 * 1024
READER_SECONDS = 15

REFUSALS = {
    "unknown_type": _("This is not a PNG, JPEG, WebP or SVG file, whatever its name says."),
    "unreadable": _("The file is damaged or not quite the type it says. Export it again, as PNG if you can."),
    "too_many_pixels": _("The picture has too many pixels. Make it smaller than 24 megapixels, say 6000 × 4000."),
    "svg_too_large": _("The SVG is larger than 512 KB. Simplify it or export it as PNG."),
    "svg_unsafe": _("The SVG holds entities or references that are not safe to show. Export it as plain SVG or PNG."),
    "empty": _("The picture is completely transparent."),
    "crashed": _("The picture could not be read within the limits. Export it again, as PNG if you can."),
}


@dataclass(frozen=True)
class CleanLogo:
    """A logo that is safe to show: PNG bytes, their size in pixels, the sanitized SVG if it came as one."""

    png: bytes
    svg: bytes
    width: int
    height: int
    colors: tuple[str, ...]  # suggested brand colors, #rrggbb, most frequent first


def read_logo(upload: IO[bytes]) -> CleanLogo:
    """Clean an uploaded logo in a process of its own. Raises ValidationError with what to do about it."""
    data = upload.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValidationError(_("The file is larger than 4 MB."), code="too_large")
    if not data:
        raise ValidationError(_("The file is empty."), code="empty_file")
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "accounts.logo_reader"],
            input=data,
            capture_output=True,
            timeout=READER_SECONDS,
            check=True,
            cwd=settings.BASE_DIR,
        ).stdout
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise ValidationError(REFUSALS["crashed"], code="crashed") from error
    head, _newline, body = answer.partition(b"\n")
    facts = json.loads(head)
    if "refused" in facts:
        raise ValidationError(REFUSALS[facts["refused"]], code=facts["refused"])
    png, svg = body[: facts["png"]], body[facts["png"] :]
    return CleanLogo(png, svg, facts["width"], facts["height"], tuple(facts["colors"]))


def set_logo(brand: Brand, logo: CleanLogo) -> None:
    """Store ``logo`` as the brand's. Its name is its digest, so that an address never shows another picture."""
    digest = hashlib.sha256(logo.png).hexdigest()[:24]
    brand.logo.save(f"{digest}.png", ContentFile(logo.png), save=False)
    if logo.svg:
        brand.logo_vector.save(f"{digest}.svg", ContentFile(logo.svg), save=False)
    else:
        brand.logo_vector = ""
    brand.logo_width, brand.logo_height = logo.width, logo.height
    brand.save(update_fields=["logo", "logo_vector", "logo_width", "logo_height", "updated_at"])


def set_dark_logo(brand: Brand, logo: CleanLogo) -> None:
    """Store the variant for dark grounds."""
    digest = hashlib.sha256(logo.png).hexdigest()[:24]
    brand.logo_dark.save(f"{digest}.png", ContentFile(logo.png), save=False)
    brand.save(update_fields=["logo_dark", "updated_at"])


def missing(brand: Brand) -> list[str]:
    """Names of fields a brand needs before it may send mail, in the order of the form."""
    needed = {
        "sender_name": _("sender name"),
        "reply_to": _("reply-to address"),
        "postal_address": _("postal address"),
    }
    return [str(words) for name, words in needed.items() if not getattr(brand, name)]
