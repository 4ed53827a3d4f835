"""Colors of brands: contrast by WCAG 2.2 and colors derived so that text stays readable on any brand."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

AA_TEXT = 4.5  # WCAG 2.2, 1.4.3: text
AA_LARGE = 3.0  # WCAG 2.2, 1.4.3 and 1.4.11: large text, borders of controls
LIGHT_SURFACE = "#ffffff"
DARK_SURFACE = "#171b1e"  # --surface-raised in static/css/tokens.css
_STEPS = 64


def _channels(color: str) -> tuple[float, float, float]:
    """Red, green and blue of ``#rrggbb`` in 0..1."""
    return int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255


def luminance(color: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2 definition), 0 for black to 1 for white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colors (WCAG 2.2), 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(color: str) -> str:
    """White where it reads well on ``color``, else black. One of the two always reaches 4.5:1."""
    return "#ffffff" if contrast("#ffffff", color) >= AA_TEXT else "#000000"


def readable_ink(color: str, surface: str = LIGHT_SURFACE, ratio: float = AA_TEXT) -> str:
    """The hue of ``color``, darkened (or lightened) just enough to be read as text on ``surface``."""
    if contrast(color, surface) >= ratio:
        return color
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(color))
    goal = 0.0 if luminance(surface) > 0.18 else 1.0
    for step in range(1, _STEPS + 1):
        shifted = lightness + (goal - lightness) * step / _STEPS
        red, green, blue = colorsys.hls_to_rgb(hue, shifted, saturation)
        candidate = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
        if contrast(candidate, surface) >= ratio:
            return candidate
    return "#000000" if goal == 0.0 else "#ffffff"


@dataclass(frozen=True)
class Palette:
    """A brand color and what is derived from it. Every pair of text and ground reaches 4.5:1."""

    accent: str
    on_accent: str
    ink: str  # the accent as text and links on white
    ink_dark: str  # the same on the dark surface

    @property
    def is_adjusted(self) -> bool:
        """Whether the color as given is too pale to be text on white, so that a darker one stands in for text."""
        return self.ink != self.accent


def palette(color: str) -> Palette:
    """Everything derived from one brand color ``#rrggbb``."""
    accent = color.lower()
    return Palette(
        accent=accent,
        on_accent=readable_on(accent),
        ink=readable_ink(accent),
        ink_dark=readable_ink(accent, DARK_SURFACE),
    )
