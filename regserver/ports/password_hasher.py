"""Password hashing, slow by design, and which new passwords are too easily guessed."""

from collections.abc import Callable
from contextvars import ContextVar
from enum import IntEnum
from typing import Protocol

import msgspec


class PasswordMatch(IntEnum):
    """The result of a comparison. Only WRONG is false."""

    WRONG = 0
    RIGHT = 1
    OUTDATED = 2
    """Right, but a new hash should replace the stored one: it was made at another cost, or of another Unicode form."""


class HashClient(msgspec.Struct, frozen=True):
    """For whom a password is hashed. key: of its network; clients with one key wait for each other alone.

    gone: whether the client has closed its connection, so that nobody waits for the answer.
    """

    key: str
    gone: Callable[[], bool]


NOBODY = HashClient("", lambda: False)
"""For work of the server itself."""

hash_client: ContextVar[HashClient] = ContextVar("hash_client", default=NOBODY)
"""The client of the present task, set where its request enters: it decides the turn of a hash, never the result."""


class HasherBusy(Exception):
    """Too many passwords wait to be hashed. retry_after: whole seconds."""

    retry_after = 2


class PasswordHasher(Protocol):
    """Hashes and verifies passwords, normalised to Unicode NFC, in a bounded number of threads."""

    async def hash(self, password: str) -> str:
        """The encoded hash, with its parameters and salt. Raises HasherBusy."""

    async def verify(self, password: str, encoded: str | None) -> PasswordMatch:
        """Whether the password was hashed to `encoded`; WRONG for None, after the same time. Raises HasherBusy."""

    def is_guessable(self, password: str, *own: str | None) -> bool:
        """Whether a new password is to be refused: it is a common one, or one of its owner's names and addresses."""
