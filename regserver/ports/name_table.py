"""User names, one namespace for all doors."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId, NameKey
from regserver.domain.instant import Instant


class Holder(msgspec.Struct, frozen=True):
    """The holder of a name: an account, or a reservation until `expires_at` (None: for good)."""

    key: str
    expires_at: Instant | None


def account_holder(account: AccountId) -> str:
    """The holder key of an account."""
    return f"account:{account}"


NameHash = Callable[[NameKey], NameKey]
"""What is kept of the name of an erased account."""


class NameTable(Protocol):
    """One row per taken name of any door; its unique key settles every race for a name.

    The names of erased accounts are kept as keyed hashes, and stay taken.
    """

    async def claim(self, key: NameKey, holder: str, expires_at: Instant | None, now: Instant) -> bool:
        """Takes the name if it is free, lapsed or already this holder's; returns whether it did (atomic).

        expires_at: None takes the name for good.
        """

    async def holder(self, key: NameKey, now: Instant) -> Holder | None:
        """The holder of the name; None when it is free or its reservation has lapsed."""

    async def release(self, key: NameKey, holder: str) -> None:
        """Frees the name if it is still this holder's (atomic)."""

    async def kept(self, prefix: str) -> tuple[tuple[NameKey, str], ...]:
        """Names that are reserved for good, with their holders, which begin with `prefix`."""

    async def erase(self, key: NameKey, holder: str) -> None:
        """Replaces the holder's name by its hash, which nobody can claim. Does nothing if the name has another holder."""

    async def purge(self, now: Instant) -> int:
        """Removes lapsed reservations; returns how many."""
