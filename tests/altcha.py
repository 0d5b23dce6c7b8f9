"""Solving puzzles as clients do: by the library of the format."""

from typing import Any

import altcha
import msgspec

from regserver.domain.altcha import SignedPuzzle


def solve(puzzle: SignedPuzzle | dict[str, Any]) -> str:
    """The `captcha` of a request. puzzle: also as JSON."""
    challenge = altcha.Challenge.from_dict(msgspec.to_builtins(puzzle))
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    return altcha.Payload(challenge, solution).to_base64()
