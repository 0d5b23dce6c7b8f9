"""What each account has used of its daily allowance."""

from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant


class Usage(msgspec.Struct, frozen=True):
    """Posts, rooms, and bytes that the store keeps for them."""

    posts: int = 0
    rooms: int = 0
    kept_bytes: int = 0


class AllowanceTable(Protocol):
    """One row for each account; a day is one of UTC."""

    async def spend(self, account: AccountId, cost: Usage, most: Usage, now: Instant) -> bool:
        """Counts `cost` for today; False, and nothing is counted, where that would pass `most` (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes the rows of other days; returns how many."""
