"""How much of a limit a contact, an address or a country prefix has spent."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.contact import BudgetKey
from regserver.domain.instant import Duration, Instant


class Budget(msgspec.Struct, frozen=True):
    """So many in so long a time. The time starts with the first."""

    key: BudgetKey
    limit: int
    window: Duration


class Spent(msgspec.Struct, frozen=True):
    """A budget with nothing left until `until`."""

    until: Instant


class BudgetTable(Protocol):
    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Spent | None:
        """Takes one from each, or from none of them when one has nothing left."""

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int: ...

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        """Undoes one `spend`."""

    async def clear(self, key: BudgetKey) -> None: ...
