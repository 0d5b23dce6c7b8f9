"""Puzzles against ALTCHA's own library, which solves and checks them; and everything that is no solution."""

import base64
from typing import Any

import altcha
import msgspec
import pytest

from regserver.domain.altcha import MAX_PAYLOAD_LENGTH, Payload, PuzzleSeal, SignedPuzzle, read_payload
from regserver.domain.instant import SECOND, Instant, after
from tests.altcha import solve
from tests.fake import EPOCH

KEY = bytes(range(32))
SEAL = PuzzleSeal(KEY)
ENDS_AT = Instant(EPOCH + 600 * SECOND)


def puzzle(counter: int = 3) -> SignedPuzzle:
    return SEAL.make(b"n" * 16, b"s" * 16, counter, ENDS_AT)


def payload(**changes: Any) -> Payload:
    found = read_payload(solve(puzzle()))
    assert found is not None
    return msgspec.structs.replace(found, **changes)


def test_the_library_of_the_format_finds_the_counter() -> None:
    challenge = altcha.Challenge.from_dict(msgspec.to_builtins(puzzle(7)))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    assert solution.counter == 7


def test_the_library_of_the_format_accepts_the_signatures() -> None:
    """With the two keys that are derived from ours."""
    far = SEAL.make(b"n" * 16, b"s" * 16, 2, Instant(2**40 * SECOND))
    checked = altcha.verify_solution(solve(far), SEAL._puzzle_key, hmac_key_secret=SEAL._solution_key)
    assert checked.verified, checked.error
    other = altcha.verify_solution(solve(far), b"another", hmac_key_secret=SEAL._solution_key)
    assert not other.verified


def test_a_solution_is_accepted_until_the_puzzle_expires() -> None:
    assert SEAL.is_solved(payload(), EPOCH)
    assert SEAL.is_solved(payload(), Instant(ENDS_AT - 1))
    assert not SEAL.is_solved(payload(), ENDS_AT)


def test_another_servers_puzzle_is_refused() -> None:
    assert not PuzzleSeal(bytes(32)).is_solved(payload(), EPOCH)


@pytest.mark.parametrize(
    "change",
    [
        {"cost": 1},
        {"expires_at": 2**40},
        {"key_prefix": ""},
        {"key_signature": "00" * 32},
        {"nonce": "00" * 16},
        {"salt": "00" * 16},
    ],
)
def test_a_changed_puzzle_is_refused(change: dict[str, Any]) -> None:
    given = payload()
    changed = msgspec.structs.replace(given.challenge.parameters, **change)
    challenge = msgspec.structs.replace(given.challenge, parameters=changed)
    assert not SEAL.is_solved(msgspec.structs.replace(given, challenge=challenge), EPOCH)


@pytest.mark.parametrize("key", ["", "00" * 32, "x", "é", "\ud800", "00" * 16])
def test_another_key_is_no_solution(key: str) -> None:
    """Nor is the half of it that was published."""
    given = payload()
    for wrong in (key, given.challenge.parameters.key_prefix):
        solution = msgspec.structs.replace(given.solution, derived_key=wrong)
        assert not SEAL.is_solved(msgspec.structs.replace(given, solution=solution), after(EPOCH, 1))


@pytest.mark.parametrize(
    "text",
    ["", "x", "é", "====", base64.b64encode(b"{}").decode(), base64.b64encode(b"\xff").decode(),
     base64.b64encode(b"[" * 3000).decode(), "A" * (MAX_PAYLOAD_LENGTH + 4)],
)  # fmt: skip
def test_what_is_no_payload(text: str) -> None:
    assert read_payload(text) is None
