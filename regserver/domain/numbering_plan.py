"""The numbering plans of all countries, which are those of libphonenumber: 2 MiB, loaded with the first phone number."""

import functools

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

NO_COUNTRY = "001"
COUNTRIES: frozenset[str] = frozenset({*SUPPORTED_REGIONS, NO_COUNTRY})
"""Two letters of ISO 3166-1, and the one of numbers of no country."""


@functools.lru_cache(maxsize=1000)
def plan_of(beginning: str) -> tuple[int, frozenset[int]]:
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
def parsed(number: str) -> str | None:
    """The library's reading, which drops a trunk zero where the country has one."""
    try:
        found = parse(number)
    except NumberParseException:
        return None
    if is_possible_number_with_reason(found) != ValidationResult.IS_POSSIBLE:
        return None
    return str(format_number(found, PhoneNumberFormat.E164))


@functools.lru_cache(maxsize=4096)
def region_of(number: str) -> str:
    """The country of a number in the form of E.164. Of countries that share a code, the one whose plan has the number."""
    found = parse(number)
    return region_code_for_number(found) or region_code_for_country_code(found.country_code or 0)
