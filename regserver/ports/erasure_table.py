"""Erasing what is kept about a person."""

from typing import Protocol

from regserver.domain.account import AccountId, NameKey
from regserver.domain.instant import Instant


class ErasureTable(Protocol):
    """Deleted accounts whose time of grace has passed, and every trace of their persons, in all tables."""

    async def due(self, before: Instant, limit: int) -> tuple[AccountId, ...]:
        """Accounts that were deleted before this instant, or were never let in, and are not erased; the oldest first."""

    async def in_rooms(self, limit: int) -> tuple[AccountId, ...]:
        """Accounts that are deleted, not erased, and still in rooms, by number."""

    async def erase(self, account: AccountId, name: NameKey, now: Instant) -> None:
        """Removes or empties every trace but the entry in the ledger's journal, which JournalTable empties.

        name: what stands in the place of the account's name, which must be unique. The caller holds Lock.ACCOUNT.
        """
