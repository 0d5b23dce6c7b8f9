"""Counters of wrong secrets."""

from regserver.domain.account import AccountId
from regserver.domain.guess import LAPSE, CounterKey, Failures
from regserver.domain.instant import Instant
from regserver.store.sql.statement import Rows

MOST_STRANGERS = 200_000
"""Counters of names that nobody has, since strangers make them: some 30 MB. Beyond this the oldest go first."""


class GuessRows(Rows):
    """The table guess."""

    async def failures(self, counter: CounterKey) -> Failures | None:
        """Uses the primary key."""
        return await self._one(Failures, _FAILURES, counter)

    async def count(self, counter: CounterKey, account: AccountId | None, now: Instant) -> int:
        """One upsert, so that simultaneous failures are all counted."""
        statement = (
            "INSERT INTO guess (counter, account_id, failures, failed_at) VALUES (?, ?, 1, ?)"
            " ON CONFLICT (counter) DO UPDATE SET failed_at = excluded.failed_at,"
            " failures = CASE WHEN guess.failed_at <= ? THEN 1 ELSE guess.failures + 1 END RETURNING failures"
        )
        return int(await self._sql.value(statement, counter, account, now, now - LAPSE))

    async def clear(self, counter: CounterKey) -> None:
        """Uses the primary key."""
        await self._sql.run("DELETE FROM guess WHERE counter = ?", counter)

    async def of_account(self, account: AccountId) -> tuple[Failures, ...]:
        """Uses the index of accounts."""
        statement = "SELECT failures, failed_at FROM guess WHERE account_id = ? ORDER BY failures DESC"
        return await self._all(Failures, statement, account)

    async def forget(self, account: AccountId) -> None:
        """Uses the index of accounts."""
        await self._sql.run("DELETE FROM guess WHERE account_id = ?", account)

    async def purge(self, now: Instant) -> int:
        """Uses the indexes of the times of failures."""
        lapsed = await self._sql.run("DELETE FROM guess WHERE failed_at <= ?", now - LAPSE)
        oldest = (
            "SELECT failed_at FROM guess WHERE account_id IS NULL ORDER BY failed_at DESC LIMIT 1 OFFSET ?"
        )
        statement = f"DELETE FROM guess WHERE account_id IS NULL AND failed_at <= ({oldest})"
        return lapsed + await self._sql.run(statement, MOST_STRANGERS)


# Its columns are the fields of Failures.
_FAILURES = "SELECT failures, failed_at FROM guess WHERE counter = ?"
