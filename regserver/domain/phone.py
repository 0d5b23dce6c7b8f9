"""Phone numbers as people write them, and the country of each.

    "+44 (0)20 8366 1177", "0044 20-8366-1177", "＋４４２０…"  →  "+442083661177"

The numbering plans are those of libphonenumber. Clean numbers are looked up here, since its parser takes as long as a whole
request; it reads the others, such as those with a trunk zero.
"""

import functools
import re
import unicodedata

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)

Country = str
"""Two letters of ISO 3166-1, such as "UA"; "001" for numbers of no country, such as those of satellites."""

MAX_LENGTH = 64
"""Characters of a number as it is written; longer texts are none."""
NO_COUNTRY = "001"
COUNTRIES: frozenset[Country] = frozenset({*SUPPORTED_REGIONS, NO_COUNTRY})

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
    return _parsed(number)


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
    size, lengths = _plan(number[1:4])
    return len(number) - 1 - size in lengths and number[1 + size] != "0"


@functools.lru_cache(maxsize=1000)
def _plan(beginning: str) -> tuple[int, frozenset[int]]:
    """The digits of the country code that a number begins with, and the lengths of the national numbers behind it.

    beginning: up to three digits, the most that a country code has.
    """
    for size in range(1, len(beginning) + 1):
        code = int(beginning[:size])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            return size, _lengths(code)
    return 0, frozenset()


def _lengths(code: int) -> frozenset[int]:
    """The lengths of national numbers. code: one of COUNTRY_CODE_TO_REGION_CODE."""
    region = region_code_for_country_code(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    described = None if metadata is None else metadata.general_desc
    return frozenset(() if described is None else described.possible_length)


@functools.lru_cache(maxsize=4096)
def _parsed(number: str) -> str | None:
    """The library's reading, which drops a trunk zero where the country has one."""
    try:
        found = parse(number)
    except NumberParseException:
        return None
    if is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    return str(format_number(found, PhoneNumberFormat.E164))


@functools.lru_cache(maxsize=4096)
def country_of(phone: str) -> Country:
    """The country of a number of `read_phone`. Of countries that share a code, the one whose plan has the number."""
    found = parse(phone)
    return region_code_for_number(found) or region_code_for_country_code(found.country_code or 0)
