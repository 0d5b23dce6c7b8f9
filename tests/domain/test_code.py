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
        (" 123456", "123456"),
        ("123456\n", "123456"),
        ("123-456\r\n", "123456"),
        ("123\N{NO-BREAK SPACE}456", "123456"),
        ("12\N{EN DASH}34\N{EN DASH}56", "123456"),
        ("\N{LEFT-TO-RIGHT MARK}123\N{ZERO WIDTH SPACE}456", "123456"),
        ("１２３４５６", "123456"),
        ("١٢٣٤٥٦", "123456"),
        ("１２３ ４５６", "123456"),
        (-5, None),
        (12345, None),
        ("12345", None),
        (1234567, None),
        ("1234567", None),
        (10**30, None),
        ("1" * 5000, None),
        ("12345a", None),
        ("①②③④⑤⑥", None),
        ("123456 123456", None),
        ("+123456", None),
    ],
)
def test_answers_are_read(given: int | str, read: str | None) -> None:
    assert read_code(given, 6) == read


@pytest.mark.parametrize("digits", [4, 10])
def test_a_code_of_another_length(digits: int) -> None:
    code = new_code(digits, SeededRandomness().below)
    assert read_code(code, digits) == read_code(int(code), digits) == code
    assert read_code(code, 6) is None
