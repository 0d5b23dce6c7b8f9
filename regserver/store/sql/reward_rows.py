"""Rewards."""

from regserver.domain.instant import Instant
from regserver.store.sql.statement import Rows


class RewardRows(Rows):
    """The table steps_reward."""

    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        """The primary key settles who was first."""
        statement = (
            "INSERT INTO steps_reward (user_id, reason, community, granted_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (user_id, reason, community) DO NOTHING RETURNING 1"
        )
        return await self._sql.value(statement, user_id, reason, community, now) is not None

    async def count(self, user_id: str) -> int:
        """Uses the primary key, which begins with the userId."""
        return int(await self._sql.value("SELECT count(*) FROM steps_reward WHERE user_id = ?", user_id))
