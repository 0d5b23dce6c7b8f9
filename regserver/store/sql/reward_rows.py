"""Rewards."""

from regserver.domain.instant import Instant
from regserver.store.sql.statement import Sql


class RewardRows:
    """The table steps_reward."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        """The primary key settles who was first."""
        row = await self._sql.row(
            "INSERT INTO steps_reward (user_id, reason, community, granted_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (user_id, reason, community) DO NOTHING RETURNING 1",
            user_id,
            reason,
            community,
            now,
        )
        return row is not None

    async def count(self, user_id: str) -> int:
        """Uses the primary key, which begins with the userId."""
        row = await self._sql.row("SELECT count(*) FROM steps_reward WHERE user_id = ?", user_id)
        return 0 if row is None else int(row[0])
