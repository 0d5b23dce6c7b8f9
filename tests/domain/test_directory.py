"""The directory's rules at their boundaries, with the traps that Unicode and Python lay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.domain.account import EmailKey, NameKey
from regserver.domain.directory import (
    BASE62,
    CHALLENGE_LENGTH,
    Malformed,
    SignUpFields,
    WellFormed,
    is_challenge,
    is_name,
    is_reserved,
    least_used,
    new_challenge,
    parse_sign_up,
)
from regserver.domain.email import is_email
from regserver.domain.password import is_directory_password


@pytest.mark.parametrize("name", ["alice", "ALICE", "12345", "a" * 21, "Zz9Zz"])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "alic",
        "a" * 22,
        "alice\n",
        "\nalice",
        " alice",
        "alice ",
        "ali ce",
        "ali-ce",
        "ali_ce",
        "alice\0",
        "ali\u212ae",  # the Kelvin sign, which case-folds to k
        "ali\u017fe",  # the long s, which upper-cases to S
        "\u0661\u0662\u0663\u0664\u0665",  # Arabic digits
        "алиса",
        "ａｌｉｃｅ",
        "élodie",
    ],
)
def test_what_is_no_name(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("password", ["sixsix", "x" * 99, "with space", "п" * 6, "😀" * 99, "a\0bcde"])
def test_passwords(password: str) -> None:
    assert is_directory_password(password)


@pytest.mark.parametrize(
    "password",
    ["", "fives", "x" * 100, " sixsix", "sixsix ", "sixsix\n", "\tsixsix", "sixsix\u00a0", "\u2003sixsix"],
)
def test_what_is_no_password(password: str) -> None:
    assert not is_directory_password(password)


@pytest.mark.parametrize("text", ["abcde", "A" * 200, "00000"])
def test_challenges(text: str) -> None:
    assert is_challenge(text)


@pytest.mark.parametrize("text", ["", "abcd", "A" * 201, "abcde\n", "abc-e", "abcd\u212a", "a/bcde"])
def test_what_is_no_challenge(text: str) -> None:
    assert not is_challenge(text)


@pytest.mark.parametrize(
    "email",
    [
        "ada+list@example.org",
        "o'neil@example.co.uk",
        f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example",
    ],
)
def test_addresses(email: str) -> None:
    assert is_email(email)


@pytest.mark.parametrize(
    "email",
    [
        "a@b.c\r\nBcc: everybody@example.org",
        "a\n@example.org",
        "a@example.org\n",
        "a@example.org\0",
        "@example.org",
        "ada",
        "a" * 250 + "@b.org",
        "a@" + "b." * 200 + "org",
        "a@b@c.org",
        "a@exam ple.org",
    ],
)
def test_what_is_no_address(email: str) -> None:
    assert not is_email(email)


def parsed(username: str | None, password: str | None, email: str | None) -> WellFormed | Malformed:
    return parse_sign_up(SignUpFields(username, password, email, "en"), ("admin",), lambda *_: False)


def test_a_sign_up_is_judged_in_the_order_name_password_email() -> None:
    nothing = Malformed(("bad_name", "bad_password", "bad_email"), None, None)
    assert parsed("", "", "") == nothing
    assert parsed(None, None, None) == nothing
    assert parsed("alice", "secret", "a@b.org") == WellFormed("alice", "secret", "a@b.org", "en")


def test_fields_that_are_right_by_themselves_can_still_be_looked_up() -> None:
    assert parsed("Admin", "x", "A@b.org") == Malformed(
        ("reserved_name", "bad_password"), None, EmailKey("a@b.org")
    )
    assert parsed("ALICE", "secret", "nobody") == Malformed(("bad_email",), NameKey("alice"), None)


def test_reserved_names_know_no_case() -> None:
    assert is_reserved("ADMIN", ["admin"])
    assert is_reserved("admin", ["Admin"])
    assert not is_reserved("admins", ["admin"])


@given(st.lists(st.integers(0, 61), min_size=CHALLENGE_LENGTH, max_size=CHALLENGE_LENGTH))
def test_a_new_challenge_is_one_and_holds_128_bits(numbers: list[int]) -> None:
    assert is_challenge(new_challenge(numbers))
    assert 62**CHALLENGE_LENGTH >= 2**128
    assert len(set(BASE62)) == 62


def test_a_challenge_of_too_few_numbers_is_a_bug() -> None:
    with pytest.raises(ValueError, match="takes"):
        new_challenge([1, 2, 3])


def test_least_used() -> None:
    assert least_used([], {}) is None
    assert least_used(["a", "b"], {}) == "a"
    assert least_used(["a", "b"], {"a": 1}) == "b"
    assert least_used(["a", "b"], {"a": 1, "b": 1}) == "a"
    assert least_used(["a", "b"], {"a": 5, "b": 4, "gone": 0}) == "b"
