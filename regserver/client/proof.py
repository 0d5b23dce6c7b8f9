"""The server's own captcha: a puzzle in ALTCHA's format (version 2), whose solution costs work.

    password = nonce + counter (4 bytes, big-endian)      key = PBKDF2-HMAC-SHA-256(password, salt, cost)

The counter is looked for whose key begins with `keyPrefix`. Nothing here does I/O.
"""

import base64
import hashlib
from typing import Annotated, Literal

import msgspec

AT_ONCE = 64
"""Counters that one search tries: about 20 ms, so that a caller can be cancelled between two."""
STARTS = range(0, 2**32, AT_ONCE)

Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]


class PuzzleParameters(msgspec.Struct, frozen=True, rename="camel"):
    """cost: rounds for one counter. key_length: in bytes."""

    algorithm: Literal["PBKDF2/SHA-256"]
    cost: Annotated[int, msgspec.Meta(ge=1)]
    key_length: Annotated[int, msgspec.Meta(ge=1)]
    key_prefix: Hex
    nonce: Hex
    salt: Hex


class PuzzleIssued(msgspec.Struct, frozen=True):
    """What `GET /captcha/challenge` answers, without the signature."""

    parameters: PuzzleParameters


class Solution(msgspec.Struct, frozen=True, rename="camel"):
    """derived_key: in hex."""

    counter: int
    derived_key: str


def search(puzzle: PuzzleIssued, first: int) -> Solution | None:
    """Tries AT_ONCE counters from `first`; None when none of them is the solution."""
    given = puzzle.parameters
    nonce, salt = bytes.fromhex(given.nonce), bytes.fromhex(given.salt)
    for counter in range(first, first + AT_ONCE):
        password = nonce + counter.to_bytes(4, "big")
        key = hashlib.pbkdf2_hmac("sha256", password, salt, given.cost, given.key_length).hex()
        if key.startswith(given.key_prefix):
            return Solution(counter, key)
    return None


def captcha(challenge: bytes, solution: Solution) -> str:
    """The `captcha` of a request. challenge: the server's answer as it came, since its signature covers all of it."""
    payload = {"challenge": msgspec.Raw(challenge), "solution": solution}
    return base64.b64encode(msgspec.json.encode(payload)).decode()
