"""Budgets against guessing and flooding."""

from collections.abc import Sequence

from regserver.domain.contact import BudgetKey
from regserver.domain.instant import DAY, Duration, Instant, after
from regserver.ports.budget_table import Budget
from regserver.ports.transaction import Lock
from regserver.store.sql.statement import Rows

BUDGET_KEPT = Duration(7 * DAY)
"""Counts are dropped after this; no window is longer."""


class BudgetRows(Rows):
    """The table steps_budget. A count whose window is over stays until it is spent from again or purged."""

    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Instant | None:
        """Reads every budget before it writes to any."""
        await self._sql.lock(Lock.BUDGET, *(budget.key for budget in budgets))
        statement = "SELECT started_at FROM steps_budget WHERE budget = ? AND spent >= ? AND started_at > ?"
        for budget in budgets:
            started_at = await self._sql.value(statement, budget.key, budget.limit, now - budget.window)
            if started_at is not None:
                return after(started_at, budget.window)
        for budget in budgets:
            statement = (
                "INSERT INTO steps_budget (budget, spent, started_at) VALUES (?, 1, ?)"
                " ON CONFLICT (budget) DO UPDATE SET"
                " spent = CASE WHEN steps_budget.started_at <= ? THEN 1 ELSE steps_budget.spent + 1 END,"
                " started_at = CASE WHEN steps_budget.started_at <= ? THEN ? ELSE steps_budget.started_at END"
            )
            await self._sql.run(statement, budget.key, now, now - budget.window, now - budget.window, now)
        return None

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int:
        """0 if there is no row, or its window is over."""
        statement = "SELECT spent FROM steps_budget WHERE budget = ? AND started_at > ?"
        return int(await self._sql.value(statement, key, now - window) or 0)

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        """Never below 0: the row may have begun a new window meanwhile."""
        statement = "UPDATE steps_budget SET spent = spent - 1 WHERE budget = ? AND spent > 0"
        await self._sql.run_many(statement, [(budget.key,) for budget in budgets])

    async def clear(self, key: BudgetKey) -> None:
        """A budget without a row is unspent."""
        await self._sql.run("DELETE FROM steps_budget WHERE budget = ?", key)

    async def purge(self, now: Instant) -> int:
        """Uses the index of the windows' beginnings."""
        return await self._sql.run("DELETE FROM steps_budget WHERE started_at <= ?", now - BUDGET_KEPT)
