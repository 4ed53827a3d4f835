"""Readable colors from any brand color."""

from __future__ import annotations

import itertools

import pytest

from accounts.colors import AA_TEXT, DARK_SURFACE, LIGHT_SURFACE, contrast, palette

CUBE = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in itertools.product(range(0, 256, 51), repeat=3)]


def test_contrast_of_black_and_white_is_twenty_one():
    assert round(contrast("#000000", "#ffffff"), 3) == 21.0


def test_contrast_of_the_lightest_gray_that_passes_on_white():
    assert contrast("#767676", "#ffffff") >= AA_TEXT > contrast("#777777", "#ffffff")


@pytest.mark.parametrize("color", CUBE)
def test_palette_of_any_color_reads_on_every_ground(color):
    derived = palette(color)
    assert contrast(derived.on_accent, derived.accent) >= AA_TEXT
    assert contrast(derived.ink, LIGHT_SURFACE) >= AA_TEXT
    assert contrast(derived.ink_dark, DARK_SURFACE) >= AA_TEXT


def test_palette_keeps_a_color_that_already_reads():
    assert palette("#0B5FFF").ink == "#0b5fff"
    assert not palette("#0b5fff").is_adjusted
    assert palette("#fff59d").is_adjusted
