"""Colours of a brand: what is read, what can be read on what, and the palettes that follow from one colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.colour import (
    BLACK,
    LEAST_CONTRAST,
    LIGHTEST_DARK_GROUND,
    WHITE,
    Colour,
    Palette,
    contrast,
    dark_palette,
    light_palette,
    mix,
    read_colour,
    readable,
    tint_of,
)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#0f6b66", "#0f6b66"),
        ("#ABC", "#aabbcc"),
        ("0f6b66", None),
        ("#12345", None),
        ("teal", None),
        ("", None),
    ],
)
def test_what_is_a_colour(text: str, colour: str | None) -> None:
    assert read_colour(text) == colour


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == 1
    assert contrast(Colour("#767676"), WHITE) == pytest.approx(
        4.54, abs=0.01
    )  # WebAIM's example of the least grey


def test_a_mix_lies_between() -> None:
    assert mix(BLACK, WHITE, 0.5) == "#808080"
    assert (mix(BLACK, WHITE, 0), mix(BLACK, WHITE, 1)) == (BLACK, WHITE)


colours = st.integers(0, 0xFFFFFF).map(lambda number: Colour(f"#{number:06x}"))


def assert_text_can_be_read(palette: Palette, grounds: tuple[Colour, ...]) -> None:
    for ground in (*grounds, palette["tint"]):
        assert contrast(palette["accent"], ground) >= LEAST_CONTRAST
    for name in ("accent", "accent-hover"):
        assert contrast(palette["on-accent"], palette[name]) >= LEAST_CONTRAST


@given(colours)
def test_whatever_passes_the_check_can_be_read_on_every_page(colour: Colour) -> None:
    if contrast(colour, tint_of(colour)) < LEAST_CONTRAST:
        colour = readable(colour, tint_of(WHITE), BLACK)
        while contrast(colour, tint_of(colour)) < LEAST_CONTRAST:
            colour = readable(colour, tint_of(colour), BLACK)
    assert_text_can_be_read(light_palette(colour), (WHITE,))
    assert_text_can_be_read(dark_palette(colour), (LIGHTEST_DARK_GROUND,))
