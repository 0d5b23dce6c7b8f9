"""How much of a limit a contact, an address or a country prefix has spent."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.contact import BudgetKey
from regserver.domain.instant import Duration, Instant


class Budget(msgspec.Struct, frozen=True):
    """At most `limit` in `window`, which starts with the first that is spent."""

    key: BudgetKey
    limit: int
    window: Duration


class Spent(msgspec.Struct, frozen=True):
    """A budget with nothing left until `until`."""

    until: Instant


class BudgetTable(Protocol):
    """Counts outlive the registrations that spent them."""

    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Spent | None:
        """Takes Lock.BUDGET, and then one from each, or from none of them when one has nothing left."""

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int:
        """How much of the budget is spent in the window that runs now."""

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        """Undoes one `spend` (atomic)."""

    async def clear(self, key: BudgetKey) -> None:
        """Makes the budget whole again."""

    async def purge(self, now: Instant) -> int:
        """Removes counts that are older than any window; how many."""
