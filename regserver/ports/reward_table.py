"""Rewards for registered people."""

from typing import Protocol

from regserver.domain.instant import Instant


class RewardTable(Protocol):
    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        """False when it was granted before."""

    async def count(self, user_id: str) -> int: ...
