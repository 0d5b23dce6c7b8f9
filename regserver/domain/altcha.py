"""Proof of work in ALTCHA's format (version 2, deterministic): a puzzle that costs a client work and the server two hashes.

    password = nonce + counter (4 bytes, big-endian)      key = PBKDF2-HMAC-SHA-256(password, salt, cost), 32 bytes

The server draws a counter below `work` and publishes the first half of its key; the client tries counters from 0 until it has
a key that begins so. It returns the whole key, which only the work yields, and the server knows it by its signature. As the
counter is uniform, no order of trying is better than another, and giving hard puzzles up gains nothing.
"""

import base64
import hashlib
import hmac
from typing import Literal

import msgspec

from regserver.domain.instant import SECOND, Instant

COST = 1000
"""Rounds of PBKDF2 for one counter: about 0.3 ms. Enough that calling the browser's implementation is not the main cost."""
KEY_BYTES = 32
SECRET_BYTES = 16
MAX_PAYLOAD_LENGTH = 4096
"""Characters of the base64 that a client sends back; about 900 are usual."""


class Puzzle(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The parameters, in hex where they are bytes. expires_at: in seconds since 1970."""

    algorithm: Literal["PBKDF2/SHA-256"] = "PBKDF2/SHA-256"
    cost: int = COST
    expires_at: int
    key_length: int = KEY_BYTES
    key_prefix: str
    key_signature: str
    nonce: str
    salt: str

    @property
    def ends_at(self) -> Instant:
        """When it is no longer accepted."""
        return Instant(self.expires_at * SECOND)


class SignedPuzzle(msgspec.Struct, frozen=True):
    """A puzzle as a client gets it."""

    parameters: Puzzle
    signature: str


class Solution(msgspec.Struct, frozen=True, rename="camel"):
    """What the client found. derived_key: in hex."""

    counter: int
    derived_key: str


class Payload(msgspec.Struct, frozen=True):
    """What the client returns, as base64 of JSON."""

    challenge: SignedPuzzle
    solution: Solution


_decode = msgspec.json.Decoder(Payload).decode
# As the format demands it: members in order of their names, no white space.
_encode = msgspec.json.Encoder(order="sorted").encode


def derive_key(nonce: bytes, salt: bytes, counter: int, cost: int = COST) -> bytes:
    """The key of a counter below 2^32."""
    return hashlib.pbkdf2_hmac("sha256", nonce + counter.to_bytes(4, "big"), salt, cost, KEY_BYTES)


def read_payload(text: str) -> Payload | None:
    """The payload of a client; None when it is none."""
    if len(text) > MAX_PAYLOAD_LENGTH:
        return None
    try:
        return _decode(base64.b64decode(text, validate=True))
    except (ValueError, msgspec.DecodeError, RecursionError):  # not base64, no UTF-8, no such JSON
        return None


class PuzzleSeal:
    """Makes puzzles and knows its own. key: 32 bytes, of the server alone."""

    def __init__(self, key: bytes) -> None:
        # Two keys, so that no signature of the one kind is ever one of the other.
        self._puzzle_key = _mac(key, b"puzzle")
        self._solution_key = _mac(key, b"solution")

    def __repr__(self) -> str:
        return "PuzzleSeal(…)"

    def make(self, nonce: bytes, salt: bytes, counter: int, ends_at: Instant) -> SignedPuzzle:
        """The puzzle that this counter solves. nonce, salt: SECRET_BYTES random bytes each."""
        key = derive_key(nonce, salt, counter)
        puzzle = Puzzle(
            expires_at=ends_at // SECOND,
            key_prefix=key[: KEY_BYTES // 2].hex(),
            key_signature=_mac(self._solution_key, key).hex(),
            nonce=nonce.hex(),
            salt=salt.hex(),
        )
        return SignedPuzzle(puzzle, _mac(self._puzzle_key, _encode(puzzle)).hex())

    def is_solved(self, payload: Payload, now: Instant) -> bool:
        """Whether the puzzle is ours and not expired, and the solution is its own. Costs two HMACs, whatever is sent."""
        puzzle = payload.challenge.parameters
        signature = _mac(self._puzzle_key, _encode(puzzle)).hex()
        if not _equal(signature, payload.challenge.signature) or now >= puzzle.ends_at:
            return False
        try:
            key = bytes.fromhex(payload.solution.derived_key)
        except ValueError:
            return False
        return _equal(_mac(self._solution_key, key).hex(), puzzle.key_signature)


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _equal(one: str, other: str) -> bool:
    # As bytes, since compare_digest takes no other text than ASCII.
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))
