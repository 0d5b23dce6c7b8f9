"""Contacts: one spelling each, keys that tell nothing, masks that never fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.contact import (
    Contact,
    Pepper,
    country_prefix,
    parse_email,
    parse_identity,
    parse_phone,
)

PEPPER = Pepper(bytes(32))


def test_a_phone_is_one_contact_whatever_its_spelling() -> None:
    assert {parse_phone(text) for text in ("+380000000000", "380000000000", "00380 00-000-00-00")} == {
        Contact("phone", "+380000000000")
    }
    assert parse_phone("+380*******00") is None


def test_addresses_are_lower_case_and_masks_are_no_contacts() -> None:
    parsed = parse_email("Alice@Commun.COM")
    assert parsed == Contact("email", "alice@commun.com")
    assert parse_email(parsed.mask) is None
    assert parse_email("alice") is None
    assert parse_identity("***") is None


@pytest.mark.parametrize(
    ("contact", "mask"),
    [
        (Contact("phone", "+380000000012"), "+380*******12"),
        (Contact("phone", "+12"), "+**"),
        (Contact("phone", "+1234567"), "+123**67"),
        (Contact("email", "alice@commun.com"), "a***@c***.com"),
        (Contact("email", "a@localhost"), "a***@l***"),
        (Contact("identity", "secret"), "***"),
    ],
)
def test_masks(contact: Contact, mask: str) -> None:
    assert contact.mask == mask
    assert contact.value not in repr(contact)


@given(st.from_regex(r"\A\+[1-9][0-9]{1,14}\Z"))
def test_every_number_masks_and_has_a_country(number: str) -> None:
    contact = parse_phone(number)
    if contact is None:  # of no country's length
        return
    assert parse_phone(contact.value) == contact
    assert len(contact.mask) == len(contact.value)
    assert parse_phone(contact.mask) is None
    assert contact.value.startswith(country_prefix(contact.value))


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("+12025550123", "+1"),
        ("+79990000000", "+7"),
        ("+380000000000", "+380"),
        ("+4915112345678", "+49"),
        ("+12", "+1"),
    ],
)
def test_country_prefixes(number: str, prefix: str) -> None:
    assert country_prefix(number) == prefix


def test_keys_differ_by_kind_provider_value_and_pepper() -> None:
    contacts = [
        Contact("phone", "+380000000000"),
        Contact("identity", "+380000000000"),
        Contact("identity", "+380000000000", "google"),
        Contact("identity", "+380000000000", "github"),
        Contact("email", "alice@commun.com"),
    ]
    keys = {PEPPER.contact_key(contact) for contact in contacts}
    assert len(keys) == len(contacts)
    assert Pepper(bytes(31) + b"1").contact_key(contacts[0]) not in keys
    assert PEPPER.lookup_key(contacts[2]) == PEPPER.lookup_key(contacts[3])


def test_a_code_is_bound_to_its_contact() -> None:
    one, other = (PEPPER.contact_key(Contact("phone", number)) for number in ("+12", "+13"))
    assert PEPPER.code_mac(one, "123456") != PEPPER.code_mac(other, "123456")
    assert PEPPER.code_mac(one, "123456") != PEPPER.code_mac(one, "123457")


def test_a_short_pepper_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Pepper(b"short")


@pytest.mark.parametrize(
    ("text", "provider", "good"),
    [
        ("oauth-42", None, True),
        ("oauth-42", "google", True),
        ("Ünïcode id", "google", True),
        ("", None, False),
        ("x" * 257, None, False),
        ("a\nb", None, False),
        ("a\0b", None, False),
        ("oauth-42", "", False),
        ("oauth-42", "goo gle", False),
    ],
)
def test_identities(text: str, provider: str | None, good: bool) -> None:
    assert (parse_identity(text, provider) is not None) is good
