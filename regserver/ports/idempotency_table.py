"""The answers that were given to requests with an Idempotency-Key."""

from typing import Protocol

from regserver.domain.idempotency import Idempotency, StoredAnswer
from regserver.domain.instant import Instant


class IdempotencyTable(Protocol):
    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None: ...

    async def keep(self, scope: str, asked: Idempotency, answer: int | None, now: Instant) -> None:
        """Keeps the answer for IDEMPOTENCY_TTL."""

    async def purge(self, now: Instant) -> int: ...
