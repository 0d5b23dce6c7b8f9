"""The stored answers to requests with an Idempotency-Key."""

from typing import Protocol

from regserver.domain.idempotency import Idempotency, StoredAnswer
from regserver.domain.instant import Instant


class IdempotencyTable(Protocol):
    """scope: the owner of the keys; the same key in two scopes is two keys."""

    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None:
        """The answer to the key; None when there is none, or it has expired."""

    async def take(self, scope: str, asked: Idempotency, now: Instant) -> StoredAnswer | None:
        """Takes the key for IDEMPOTENCY_TTL and returns None, or returns its stored answer.

        Atomic: of several units with one key, the others wait for the end of the first. The unit that took the key
        must call `keep` or `release`.
        """

    async def keep(self, scope: str, key: str, answer: int | None) -> None:
        """Stores the answer to a key that was taken."""

    async def release(self, scope: str, key: str) -> None:
        """Releases a key that was taken: the request was refused, so a repetition is safe."""

    async def purge(self, now: Instant) -> int:
        """Removes expired answers; returns how many."""
