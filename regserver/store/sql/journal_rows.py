"""The ledger's journal."""

from typing import Any

from regserver.domain.journal import JournalEntry
from regserver.store.sql.statement import Sql, placeholders

ENTRY_COLUMNS = ", ".join(JournalEntry.__struct_fields__)


class JournalRows:
    """The table ledger_journal."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def last(self) -> JournalEntry | None:
        """Uses the primary key."""
        row = await self._sql.row(f"SELECT {ENTRY_COLUMNS} FROM ledger_journal ORDER BY number DESC LIMIT 1")
        return None if row is None else _entry(row)

    async def append(self, entry: JournalEntry) -> None:
        """The number and the userId are unique."""
        values = [getattr(entry, field) for field in JournalEntry.__struct_fields__]
        await self._sql.run(
            f"INSERT INTO ledger_journal ({ENTRY_COLUMNS}) VALUES ({placeholders(values)})", *values
        )

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """Uses the primary key."""
        rows = await self._sql.rows(
            f"SELECT {ENTRY_COLUMNS} FROM ledger_journal WHERE number > ? ORDER BY number LIMIT ?",
            after,
            limit,
        )
        return tuple(_entry(row) for row in rows)

    async def unjournalled(self) -> str | None:
        """Looks at every account of the steps door."""
        row = await self._sql.row(
            "SELECT ledger_name FROM account WHERE door = 'steps'"
            " AND NOT EXISTS (SELECT 1 FROM ledger_journal WHERE user_id = ledger_name) ORDER BY id LIMIT 1"
        )
        return None if row is None else str(row[0])


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    return JournalEntry(**dict(zip(JournalEntry.__struct_fields__, row, strict=True)))
