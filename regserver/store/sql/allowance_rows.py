"""The daily allowances of accounts."""

from regserver.domain.account import AccountId
from regserver.domain.instant import DAY, Instant
from regserver.ports.allowance_table import Usage
from regserver.store.sql.statement import Rows

# A row of today that has room for the cost: one statement, which every post runs.
SPEND = (
    "UPDATE allowance SET posts = posts + ?, rooms = rooms + ?, kept_bytes = kept_bytes + ?"
    " WHERE account_id = ? AND day = ? AND posts <= ? AND rooms <= ? AND kept_bytes <= ?"
)

# The first of a day. A row of a later day was written by a clock that was wrong.
BEGIN = (
    "INSERT INTO allowance (account_id, day, posts, rooms, kept_bytes) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (account_id) DO UPDATE SET day = excluded.day, posts = excluded.posts, rooms = excluded.rooms,"
    " kept_bytes = excluded.kept_bytes WHERE allowance.day <> excluded.day"
)


class AllowanceRows(Rows):
    """The table allowance."""

    async def spend(self, account: AccountId, cost: Usage, most: Usage, now: Instant) -> bool:
        """An UPDATE; for the first use of a day an upsert, and the UPDATE again if another unit was first."""
        day, used = now // DAY, (cost.posts, cost.rooms, cost.kept_bytes)
        left = most.posts - cost.posts, most.rooms - cost.rooms, most.kept_bytes - cost.kept_bytes
        if await self._sql.run(SPEND, *used, account, day, *left):
            return True
        if min(left) < 0:
            return False
        return (
            await self._sql.run(BEGIN, account, day, *used) > 0
            or await self._sql.run(SPEND, *used, account, day, *left) > 0
        )

    async def purge(self, now: Instant) -> int:
        """Uses the index of days."""
        return await self._sql.run("DELETE FROM allowance WHERE day < ?", now // DAY)
