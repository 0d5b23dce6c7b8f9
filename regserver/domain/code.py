"""One-time codes: drawing them, and reading a client's guess."""

import unicodedata
from collections.abc import Callable

CODE_TRIES = 5
"""How often one code may be compared: by the network that asked for it, and by all others together.

No setting: six digits are secure only with few tries.
"""

MAX_WRITTEN = 64
"""Characters of a guess as it is sent; longer texts are no code."""
_IGNORED = frozenset({"Pd", "Zs", "Zl", "Zp", "Cf"})
"""Unicode's dashes, spaces and invisible characters; the digits of a code are often written in groups."""


def new_code(digits: int, below: Callable[[int], int]) -> str:
    """A uniform code of exactly `digits` digits without a leading zero, so that number and text are the same.

    below: a cryptographic generator of 0 <= n < bound.
    """
    lowest = 10 ** (digits - 1)
    return str(lowest + below(9 * lowest))


def read_code(given: int | str, digits: int) -> str | None:
    """The digits of a guess, sent as number or as text; None when it cannot be a code of so many digits.

    As people type and paste codes: spaces, dashes and line ends are left out, and the digits of any script are taken.
    """
    text = given if isinstance(given, str) else str(given) if 0 <= given < 10**digits else ""
    if len(text) > MAX_WRITTEN:
        return None
    found = "".join(map(_digit, text))
    return found if len(found) == digits and found.isdecimal() else None


def _digit(character: str) -> str:
    """The ASCII digit of a digit, "" for what is left out, any other character unchanged."""
    kind = unicodedata.category(character)
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    return "" if kind in _IGNORED or character.isspace() else character
