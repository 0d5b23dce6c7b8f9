"""Passwords: Unicode forms, lengths, and what counts as one's own name."""

import unicodedata

import pytest

from regserver.domain.password import (
    comparable,
    is_directory_password,
    is_one_of,
    is_rooms_password,
    normal_form,
    spellings,
)

NFC = "p\u00e4ssw\u00f6rter-lang"
NFD = unicodedata.normalize("NFD", NFC)


def test_all_unicode_forms_are_one_password() -> None:
    assert NFC != NFD
    assert normal_form(NFD) == normal_form(NFC) == NFC


def test_the_present_form_is_tried_first_and_none_twice() -> None:
    assert spellings("plain") == ("plain",)
    assert spellings(NFC) == spellings(NFD) == (NFC, NFD)
    angstrom = "\u212bngstr\u00f6m"  # neither NFC nor NFD
    assert spellings(angstrom) == (
        "\u00c5ngstr\u00f6m",
        angstrom,
        unicodedata.normalize("NFD", angstrom),
    )


def test_the_length_is_that_of_the_normal_form() -> None:
    assert is_rooms_password(unicodedata.normalize("NFD", "\u00e4" * 256))
    assert not is_rooms_password(unicodedata.normalize("NFD", "\u00e4" * 4))
    assert is_directory_password(unicodedata.normalize("NFD", "\u00e4" * 99))
    assert not is_directory_password(unicodedata.normalize("NFD", "\u00e4" * 3))


@pytest.mark.parametrize("spelled", ["Ada.Lovelace", "ada.lovelace ", "ADA.LOVELACE", "\uff41da.lovelace"])
def test_a_name_is_no_password_however_it_is_spelled(spelled: str) -> None:
    assert is_one_of(spelled, ["someone", "Ada.Lovelace"])
    assert not is_one_of(spelled + "1", ["Ada.Lovelace"])


def test_lone_surrogates_are_compared_too() -> None:
    assert comparable("\ud800") == "\ud800"
    assert spellings("\ud800") == ("\ud800",)
