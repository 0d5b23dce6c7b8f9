"""The answers that were given to requests with an Idempotency-Key."""

from regserver.domain.idempotency import IDEMPOTENCY_TTL, Idempotency, StoredAnswer
from regserver.domain.instant import Instant, after
from regserver.store.sql.statement import Sql


class IdempotencyRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None:
        row = await self._sql.row(
            "SELECT request, answer FROM retry WHERE scope = ? AND retry_key = ? AND expires_at > ?",
            scope,
            key,
            now,
        )
        return None if row is None else StoredAnswer(bytes(row[0]), row[1])

    async def keep(self, scope: str, asked: Idempotency, answer: int | None, now: Instant) -> None:
        await self._sql.run("DELETE FROM retry WHERE scope = ? AND retry_key = ?", scope, asked.key)
        await self._sql.run(
            "INSERT INTO retry (scope, retry_key, request, answer, expires_at) VALUES (?, ?, ?, ?, ?)",
            scope,
            asked.key,
            asked.digest,
            answer,
            after(now, IDEMPOTENCY_TTL),
        )

    async def purge(self, now: Instant) -> int:
        return await self._sql.run("DELETE FROM retry WHERE expires_at <= ?", now)
