"""One-time codes: drawing them, and reading a client's guess."""

import re
from collections.abc import Callable

_CODE = re.compile(r"\d{1,10}", re.ASCII)


def new_code(digits: int, below: Callable[[int], int]) -> str:
    """A uniform code of exactly `digits` digits without a leading zero, so that number and text are the same.

    below: a cryptographic generator of 0 <= n < bound.
    """
    lowest = 10 ** (digits - 1)
    return str(lowest + below(9 * lowest))


def read_code(given: int | str) -> str | None:
    """The digits of a guess, sent as number or string; None when it cannot be a code."""
    text = str(given) if isinstance(given, str) or 0 <= given < 10**10 else ""
    return text if _CODE.fullmatch(text) else None
