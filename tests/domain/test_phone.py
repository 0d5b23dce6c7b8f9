"""Phone numbers as people write them, impossible ones, and the countries of those that share a code."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.numbering_plan import COUNTRIES
from regserver.domain.phone import MAX_LENGTH, country_of, read_phone, unknown_countries


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+380440000000", "+380440000000"),
        ("380440000000", "+380440000000"),
        ("+380 44 000 00 00", "+380440000000"),
        ("+380-44-000-0000", "+380440000000"),
        ("+380 (44) 000.00.00", "+380440000000"),
        ("(+380) 44 000 00 00", "+380440000000"),
        ("00380440000000", "+380440000000"),
        ("00 380 44 000 00 00", "+380440000000"),
        ("＋380440000000", "+380440000000"),
        ("＋３８０４４０００００００", "+380440000000"),
        ("٠٠٣٨٠٤٤٠٠٠٠٠٠٠", "+380440000000"),
        (" +380440000000\r\n", "+380440000000"),
        ("+380\N{NO-BREAK SPACE}44\N{NO-BREAK SPACE}0000000", "+380440000000"),
        ("\N{LEFT-TO-RIGHT EMBEDDING}+380440000000\N{POP DIRECTIONAL FORMATTING}", "+380440000000"),
        ("+380\N{EN DASH}44\N{MINUS SIGN}0000000", "+380440000000"),
        # The protocol's own example begins with zeros, and is kept as it is printed.
        ("+380000000000", "+380000000000"),
        # A trunk zero is not dialled from abroad; in Italy the zero belongs to the number.
        ("+44 (0)20 8366 1177", "+442083661177"),
        ("+49 (0)30 123456", "+4930123456"),
        ("+49 030 123456", "+4930123456"),
        ("+39 06 123 4567", "+39061234567"),
        ("+1 (555) 000-1111", "+15550001111"),
        ("+882 13 12345678", "+8821312345678"),
    ],
)
def test_as_people_write_them(text: str, number: str) -> None:
    assert read_phone(text) == number
    assert read_phone(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "++380440000000",
        "+1",
        "+12",
        "+1234",
        "+38 000",
        "+0123456",
        "+999999999999",
        "+380 44 000",
        "+380440000000000",
        "+1234567890123456",
        "0440000000",
        "+380*******00",
        "abc",
        "tel:+380440000000",
        "+380440000000 ext. 5",
        "+380440000000;+380440000001",
        "+1-800-FLOWERS",
        "+38044000000\N{CIRCLED DIGIT ONE}x",
        "\0+380440000000",
        " " * MAX_LENGTH + "+380440000000",
    ],
)
def test_what_no_country_can_have(text: str) -> None:
    assert read_phone(text) is None


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_not(text: str) -> None:
    number = read_phone(text)
    assert number is None or read_phone(number) == number


@given(st.from_regex(r"\A\+[1-9][0-9]{4,14}\Z"))
def test_the_table_says_what_the_library_says(number: str) -> None:
    """Clean numbers do not pass its parser."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        assert read_phone(number) is None
        return
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    expected = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if possible == phonenumbers.ValidationResult.IS_POSSIBLE:
        assert read_phone(number) in {expected, number}  # a national prefix that is no zero is left alone
    else:
        assert read_phone(number) in {None, number}


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+380000000000", "UA"),
        ("+12025550123", "US"),
        ("+15550001111", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+8821312345678", "001"),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert read_phone(number) == number
    assert country_of(number) == country
    assert country in COUNTRIES
    assert unknown_countries((country, "ZZ")) == ["ZZ"]
