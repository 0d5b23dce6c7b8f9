"""The stored answers to requests with an Idempotency-Key."""

from regserver.domain.idempotency import IDEMPOTENCY_TTL, Idempotency, StoredAnswer
from regserver.domain.instant import Instant, after
from regserver.store.sql.statement import Rows


class IdempotencyRows(Rows):
    """The table retry. A row is an answer, or a key that a running unit has taken."""

    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None:
        """Uses the primary key."""
        statement = "SELECT request, answer FROM retry WHERE scope = ? AND retry_key = ? AND expires_at > ?"
        row = await self._sql.row(statement, scope, key, now)
        return None if row is None else StoredAnswer(bytes(row[0]), row[1])

    async def take(self, scope: str, asked: Idempotency, now: Instant) -> StoredAnswer | None:
        """An upsert that replaces only an expired row; otherwise it reads the row."""
        statement = (
            "INSERT INTO retry (scope, retry_key, request, answer, expires_at) VALUES (?, ?, ?, NULL, ?)"
            " ON CONFLICT (scope, retry_key) DO UPDATE SET request = excluded.request, answer = NULL,"
            " expires_at = excluded.expires_at WHERE retry.expires_at <= ? RETURNING 1"
        )
        taken = await self._sql.row(
            statement, scope, asked.key, asked.digest, after(now, IDEMPOTENCY_TTL), now
        )
        return None if taken else await self.find(scope, asked.key, now)

    async def keep(self, scope: str, key: str, answer: int | None) -> None:
        """Updates the row of `take`."""
        statement = "UPDATE retry SET answer = ? WHERE scope = ? AND retry_key = ?"
        await self._sql.run(statement, answer, scope, key)

    async def release(self, scope: str, key: str) -> None:
        """Deletes the row of `take`, which no other unit has seen."""
        await self._sql.run("DELETE FROM retry WHERE scope = ? AND retry_key = ?", scope, key)

    async def purge(self, now: Instant) -> int:
        """Uses the index of expiry times."""
        return await self._sql.run("DELETE FROM retry WHERE expires_at <= ?", now)
