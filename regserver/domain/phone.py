"""Phone numbers as people write them, and the country of each.

    "+44 (0)20 8366 1177", "0044 20-8366-1177", "＋４４２０…"  →  "+442083661177"

The numbering plans are those of libphonenumber. Clean numbers are looked up here, since its parser takes as long as a whole
request; it reads the others, such as those with a trunk zero. The plans are loaded with the first number.
"""

import re
import unicodedata
from collections.abc import Iterable

Country = str
"""Two letters of ISO 3166-1, such as "UA"; "001" for numbers of no country, such as those of satellites."""

MAX_LENGTH = 64
"""Characters of a number as it is written; longer texts are none."""

_E164 = re.compile(r"\+[1-9]\d{1,14}", re.ASCII)
_MARKS = re.compile(r"[\s.()\[\]/-]+")
_TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")


def read_phone(text: str) -> str | None:
    """The number in the form of E.164, "+" and digits; None when no country can have it.

    Spaces, dots, dashes, slashes, parentheses, digits of other scripts and a leading 00 are taken as people write them; any
    other character makes it no number, so that a masked one is none.
    """
    if _E164.fullmatch(text) and _is_possible(text):  # as programs write them
        return text
    if len(text) > MAX_LENGTH:
        return None
    written = text if text.isascii() else _plain(text)
    digits = _MARKS.sub("", written)
    digits = digits[2:] if digits.startswith("00") else digits.removeprefix("+")
    number = f"+{digits}"
    if _E164.fullmatch(number) is None:
        return None
    if _TRUNK.search(written) is None and _is_possible(number):
        return number
    from regserver.domain.numbering_plan import parsed  # 2 MiB, 30 ms

    return parsed(number)


def _plain(text: str) -> str:
    """The text with ASCII digits, ASCII dashes and without invisible characters."""
    characters = []
    for character in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(character)
        if category == "Nd":
            characters.append(str(unicodedata.decimal(character)))
        elif category == "Pd" or character == "−":
            characters.append("-")
        elif category != "Cf":
            characters.append(character)
    return "".join(characters)


def _is_possible(number: str) -> bool:
    """Whether the length is one of its country, without a zero that may be a trunk prefix."""
    from regserver.domain.numbering_plan import plan_of  # 2 MiB, 30 ms

    size, lengths = plan_of(number[1:4])
    return len(number) - 1 - size in lengths and number[1 + size] != "0"


def country_of(phone: str) -> Country:
    """The country of a number of `read_phone`."""
    from regserver.domain.numbering_plan import region_of  # 2 MiB, 30 ms

    return region_of(phone)


def unknown_countries(names: Iterable[str]) -> list[Country]:
    """Those of the names that are no country's, in their order by letters."""
    if not (given := set(names)):
        return []
    from regserver.domain.numbering_plan import COUNTRIES  # 2 MiB, 30 ms

    return sorted(given - COUNTRIES)
