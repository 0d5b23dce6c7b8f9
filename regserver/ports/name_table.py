"""User names, one namespace for all doors."""

from typing import Protocol

import msgspec

from regserver.domain.account import AccountId, NameKey
from regserver.domain.instant import Instant


class Holder(msgspec.Struct, frozen=True):
    """Who has a name: an account for good, or a reservation until `expires_at`."""

    key: str
    expires_at: Instant | None


def account_holder(account: AccountId) -> str:
    """The holder key of an account."""
    return f"account:{account}"


class NameTable(Protocol):
    """One row per taken name of any door: the unique key that settles every race for one."""

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        """Takes the name if it is free, lapsed or the holder's already (atomic).

        expires_at: None takes the name for good.
        """

    async def holder(self, key: NameKey, now: Instant) -> Holder | None:
        """Who has the name now; None when it is free or its reservation has lapsed."""

    async def release(self, key: NameKey, holder: str) -> None:
        """Frees the name if it is still this holder's (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes lapsed reservations; how many."""
