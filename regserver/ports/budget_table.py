"""Budgets of contacts, addresses and country prefixes, and how much of each is spent."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.contact import BudgetKey
from regserver.domain.instant import Duration, Instant


class Budget(msgspec.Struct, frozen=True):
    """At most `limit` uses in `window`, which starts with the first use."""

    key: BudgetKey
    limit: int
    window: Duration


class BudgetTable(Protocol):
    """Counts outlive the registrations that spent them."""

    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Instant | None:
        """Takes Lock.BUDGET, then counts one use of every budget. If one is spent, counts none and returns its window's end."""

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int:
        """How many uses are counted in the current window."""

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        """Undoes one `spend` (atomic)."""

    async def clear(self, key: BudgetKey) -> None:
        """Resets the budget."""

    async def purge(self, now: Instant) -> int:
        """Removes counts that are older than any window; returns how many."""
