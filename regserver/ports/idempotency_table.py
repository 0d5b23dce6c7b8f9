"""The answers that were given to requests with an Idempotency-Key."""

from typing import Protocol

from regserver.domain.idempotency import Idempotency, StoredAnswer
from regserver.domain.instant import Instant


class IdempotencyTable(Protocol):
    """scope: whose keys they are; the same key in two scopes has nothing in common."""

    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None:
        """The answer that the key was given; None when there is none or its time is over."""

    async def take(self, scope: str, asked: Idempotency, now: Instant) -> StoredAnswer | None:
        """Takes the key for IDEMPOTENCY_TTL and returns None, or returns the answer that it was given before.

        Atomic: of several units with one key, the others wait for the end of the first. The unit that took the key
        either keeps an answer or releases the key.
        """

    async def keep(self, scope: str, key: str, answer: int | None) -> None:
        """Stores the answer to a key that was taken."""

    async def release(self, scope: str, key: str) -> None:
        """Gives up a key that was taken: the request was refused, and asking again is safe."""

    async def purge(self, now: Instant) -> int:
        """Removes answers whose time is over; how many."""
