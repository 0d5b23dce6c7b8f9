"""Phone numbers of many people."""

import phonenumbers

COUNTRIES = [
    "AR",
    "AT",
    "AU",
    "BE",
    "BR",
    "CH",
    "CZ",
    "DE",
    "DK",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HU",
    "IE",
    "IN",
    "IT",
    "JP",
    "MX",
    "NL",
    "NO",
    "PL",
    "PT",
    "RO",
    "SE",
    "TR",
    "UA",
    "US",
    "ZA",
]


def mobile_number(person: int) -> str:
    """A number in one of thirty countries. No two persons share a block of ten thousand."""
    country = COUNTRIES[person % len(COUNTRIES)]
    example = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    return f"+{example.country_code}{(example.national_number or 0) + 10_000 * (person // len(COUNTRIES))}"
