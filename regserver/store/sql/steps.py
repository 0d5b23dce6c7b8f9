"""Registrations by steps, their budgets, rewards and the ledger's tables."""

from collections.abc import Sequence
from typing import Any

from regserver.domain.contact import BudgetKey, ContactKey, LookupKey
from regserver.domain.instant import Duration, Instant, after
from regserver.domain.journal import JournalEntry
from regserver.domain.steps_machine import Registration
from regserver.ports.steps import Budget, Spent, Submission
from regserver.store.sql.statement import Sql, marks

FIELDS = Registration.__struct_fields__
COLUMNS = ", ".join(FIELDS)
REPLACE = ", ".join(f"{field} = excluded.{field}" for field in FIELDS if field != "contact")
ENTRY_COLUMNS = ", ".join(JournalEntry.__struct_fields__)
SUBMISSION_COLUMNS = ", ".join(Submission.__struct_fields__)

BUDGET_KEPT = Duration(7 * 86_400_000)
"""Counts are dropped after this; no window is longer."""


def _registration(row: tuple[Any, ...]) -> Registration:
    return Registration(**dict(zip(FIELDS, row, strict=True)))


class RegistrationRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def by_contact(self, contact: ContactKey) -> Registration | None:
        row = await self._sql.row(f"SELECT {COLUMNS} FROM steps_registration WHERE contact = ?", contact)
        return None if row is None else _registration(row)

    async def by_lookup(self, lookup: LookupKey) -> tuple[Registration, ...]:
        rows = await self._sql.rows(f"SELECT {COLUMNS} FROM steps_registration WHERE lookup = ?", lookup)
        return tuple(_registration(row) for row in rows)

    async def by_user_id(self, user_id: str) -> Registration | None:
        row = await self._sql.row(f"SELECT {COLUMNS} FROM steps_registration WHERE user_id = ?", user_id)
        return None if row is None else _registration(row)

    async def save(self, registration: Registration) -> None:
        values = [getattr(registration, field) for field in FIELDS]
        await self._sql.run(
            f"INSERT INTO steps_registration ({COLUMNS}) VALUES ({marks(FIELDS)})"
            f" ON CONFLICT (contact) DO UPDATE SET {REPLACE}",
            *values,
        )

    async def remove(self, contact: ContactKey) -> None:
        await self._sql.run("DELETE FROM steps_registration WHERE contact = ?", contact)

    async def purge(self, now: Instant) -> int:
        lapsed = await self._sql.run("DELETE FROM steps_registration WHERE lapses_at <= ?", now)
        return lapsed + await self._sql.run(
            "DELETE FROM steps_budget WHERE started_at <= ?", now - BUDGET_KEPT
        )


class BudgetRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def spend(self, budgets: Sequence[Budget], now: Instant) -> Spent | None:
        for budget in budgets:
            row = await self._sql.row(
                "SELECT started_at FROM steps_budget WHERE budget = ? AND spent >= ? AND started_at > ?",
                budget.key,
                budget.limit,
                now - budget.window,
            )
            if row is not None:
                return Spent(after(row[0], budget.window))
        for budget in budgets:
            await self._sql.run(
                "INSERT INTO steps_budget (budget, spent, started_at) VALUES (?, 1, ?)"
                " ON CONFLICT (budget) DO UPDATE SET"
                " spent = CASE WHEN steps_budget.started_at <= ? THEN 1 ELSE steps_budget.spent + 1 END,"
                " started_at = CASE WHEN steps_budget.started_at <= ? THEN ? ELSE steps_budget.started_at END",
                budget.key,
                now,
                now - budget.window,
                now - budget.window,
                now,
            )
        return None

    async def spent(self, key: BudgetKey, window: Duration, now: Instant) -> int:
        row = await self._sql.row(
            "SELECT spent FROM steps_budget WHERE budget = ? AND started_at > ?", key, now - window
        )
        return 0 if row is None else int(row[0])

    async def give_back(self, budgets: Sequence[Budget]) -> None:
        for budget in budgets:
            await self._sql.run(
                "UPDATE steps_budget SET spent = spent - 1 WHERE budget = ? AND spent > 0", budget.key
            )

    async def clear(self, key: BudgetKey) -> None:
        await self._sql.run("DELETE FROM steps_budget WHERE budget = ?", key)


class RewardRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def grant(self, user_id: str, reason: str, community: str, now: Instant) -> bool:
        row = await self._sql.row(
            "INSERT INTO steps_reward (user_id, reason, community, granted_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (user_id, reason, community) DO NOTHING RETURNING 1",
            user_id,
            reason,
            community,
            now,
        )
        return row is not None

    async def count(self, user_id: str) -> int:
        row = await self._sql.row("SELECT count(*) FROM steps_reward WHERE user_id = ?", user_id)
        return 0 if row is None else int(row[0])


class JournalRows:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def last(self) -> JournalEntry | None:
        row = await self._sql.row(f"SELECT {ENTRY_COLUMNS} FROM ledger_journal ORDER BY number DESC LIMIT 1")
        return None if row is None else _entry(row)

    async def append(self, entry: JournalEntry) -> None:
        """Where transactions run side by side, one that lost the race for a number fails here and is run again."""
        values = [getattr(entry, field) for field in JournalEntry.__struct_fields__]
        row = await self._sql.row(
            f"INSERT INTO ledger_journal ({ENTRY_COLUMNS}) VALUES ({marks(values)})"
            " ON CONFLICT (number) DO NOTHING RETURNING number",
            *values,
        )
        if row is None:
            raise RuntimeError(f"the journal has an entry {entry.number} already")

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        rows = await self._sql.rows(
            f"SELECT {ENTRY_COLUMNS} FROM ledger_journal WHERE number > ? ORDER BY number LIMIT ?",
            after,
            limit,
        )
        return tuple(_entry(row) for row in rows)

    async def unjournalled(self) -> str | None:
        row = await self._sql.row(
            "SELECT ledger_name FROM account WHERE door = 'steps'"
            " AND NOT EXISTS (SELECT 1 FROM ledger_journal WHERE user_id = ledger_name) ORDER BY id LIMIT 1"
        )
        return None if row is None else str(row[0])

    async def submission(self, user_id: str) -> Submission | None:
        row = await self._sql.row(
            f"SELECT {SUBMISSION_COLUMNS} FROM ledger_submission WHERE user_id = ?", user_id
        )
        if row is None:
            return None
        return Submission(**dict(zip(Submission.__struct_fields__, row, strict=True)))

    async def save_submission(self, submission: Submission) -> None:
        values = [getattr(submission, field) for field in Submission.__struct_fields__]
        await self._sql.run(
            f"INSERT INTO ledger_submission ({SUBMISSION_COLUMNS}) VALUES ({marks(values)})"
            " ON CONFLICT (user_id) DO UPDATE SET owner_key = excluded.owner_key, active_key = excluded.active_key,"
            " transaction_id = excluded.transaction_id, signed = excluded.signed, expires_at = excluded.expires_at",
            *values,
        )


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    return JournalEntry(**dict(zip(JournalEntry.__struct_fields__, row, strict=True)))
