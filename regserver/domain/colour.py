"""Colours of a brand: whether text in one can be read, and the colours of a light and a dark page that follow from one.

Contrast and its least value are WCAG 2.2's (1.4.3, level AA): 4.5 to 1 for text.
"""

import re
from collections.abc import Mapping
from typing import Final, NewType

Colour = NewType("Colour", str)
"""`#rrggbb`, lower case."""

LEAST_CONTRAST: Final = 4.5
WHITE, BLACK = Colour("#ffffff"), Colour("#000000")
LIGHTEST_DARK_GROUND: Final = Colour("#222c2a")
"""The lightest of the grounds that a dark page has; see base.css."""
DARK_SURFACE: Final = Colour("#192120")
STEP: Final = 0.02

_COLOUR = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.ASCII | re.IGNORECASE)


def read_colour(text: str) -> Colour | None:
    """A colour from `#rgb` or `#rrggbb`; None for anything else."""
    if _COLOUR.fullmatch(text) is None:
        return None
    digits = text[1:].lower()
    return Colour("#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits)))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast of two colours: 1 for the same, 21 for black and white (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with this share of `other`, from 0 to 1."""
    parts = zip(_parts(one), _parts(other), strict=True)
    return Colour("#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts))


def readable(colour: Colour, ground: Colour, towards: Colour) -> Colour:
    """The nearest colour on the way to `towards` that text on `ground` may have."""
    share, found = 0.0, colour
    while share < 1 and contrast(found, ground) < LEAST_CONTRAST:
        share += STEP
        found = mix(colour, towards, min(share, 1))
    return found


Palette = Mapping[str, Colour]
"""Colours by their names in base.css."""


def light_palette(colour: Colour) -> Palette:
    """The colours of a light page. colour: one that is readable on `tint_of` it."""
    return _palette(colour, mix(colour, BLACK, 0.2), tint_of(colour))


def dark_palette(colour: Colour) -> Palette:
    """The colours of a dark page, where the colour itself may be too dark for text: then the nearest lighter one."""
    tint = mix(DARK_SURFACE, colour, 0.18)
    bright = max((readable(colour, ground, WHITE) for ground in (LIGHTEST_DARK_GROUND, tint)), key=_luminance)
    return _palette(bright, mix(bright, WHITE, 0.25), tint)


def _palette(accent: Colour, hover: Colour, tint: Colour) -> Palette:
    on = max((WHITE, mix(accent, BLACK, 0.85)), key=lambda text: contrast(text, accent))
    return {"accent": accent, "accent-hover": hover, "on-accent": on, "tint": tint}


def tint_of(colour: Colour) -> Colour:
    """The ground of what is marked on a light page: the darkest on which the colour stands as text."""
    return mix(WHITE, colour, 0.1)


def _parts(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
