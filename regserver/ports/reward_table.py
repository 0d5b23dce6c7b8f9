"""Rewards for registered people."""

from typing import Protocol

from regserver.domain.instant import Instant


class RewardTable(Protocol):
    """One row per granted reward; a user gets one for each reason and community."""

    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        """Grants the reward; False when it was granted before (atomic)."""

    async def count(self, user_id: str) -> int:
        """How many rewards the user has."""
