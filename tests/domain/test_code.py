"""Codes: uniform, of fixed length, the same as number and as text."""

import pytest

from regserver.domain.code import new_code, read_code
from tests.fake import SeededRandomness


@pytest.mark.parametrize("digits", [4, 6, 10])
def test_codes_have_their_length_and_no_leading_zero(digits: int) -> None:
    below = SeededRandomness().below
    for _ in range(500):
        code = new_code(digits, below)
        assert len(code) == digits
        assert str(int(code)) == code


def test_the_whole_range_is_drawn_from() -> None:
    bounds: list[int] = []

    def below(bound: int) -> int:
        bounds.append(bound)
        return 0

    assert new_code(6, below) == "100000"
    assert bounds == [900_000]
    assert new_code(6, lambda bound: bound - 1) == "999999"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (123456, "123456"),
        ("123456", "123456"),
        ("012345", "012345"),
        ("", None),
        (" 123456", None),
        ("123456\n", None),
        ("１２３４５６", None),
        (-5, None),
        (10**10, None),
        ("1" * 11, None),
    ],
)
def test_answers_are_read(given: int | str, read: str | None) -> None:
    assert read_code(given) == read
