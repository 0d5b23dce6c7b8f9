"""The ledger's journal."""

import msgspec

from regserver.domain.journal import JournalEntry, JournalHead
from regserver.store.sql.statement import Rows, columns, placeholders

COLUMNS = columns(JournalEntry)


class JournalRows(Rows):
    """The tables ledger_journal and ledger_head."""

    async def head(self) -> JournalHead | None:
        """Reads the one row."""
        return await self._one(JournalHead, f"SELECT {columns(JournalHead)} FROM ledger_head")

    async def set_head(self, head: JournalHead) -> None:
        """Writes the one row."""
        values = msgspec.structs.astuple(head)
        await self._sql.run(
            f"INSERT INTO ledger_head (only_row, {columns(JournalHead)}) VALUES (1, {placeholders(values)})"
            " ON CONFLICT (only_row) DO UPDATE SET number = excluded.number, hash = excluded.hash,"
            " keyed_from = excluded.keyed_from, seal = excluded.seal",
            *values,
        )

    async def last(self) -> JournalEntry | None:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM ledger_journal ORDER BY number DESC LIMIT 1"
        return await self._one(JournalEntry, statement)

    async def append(self, entry: JournalEntry) -> None:
        """The number and the userId are unique."""
        values = msgspec.structs.astuple(entry)
        await self._sql.run(
            f"INSERT INTO ledger_journal ({COLUMNS}) VALUES ({placeholders(values)})", *values
        )

    async def of_user(self, user_id: str) -> JournalEntry | None:
        """Uses the unique index of userIds."""
        return await self._one(
            JournalEntry, f"SELECT {COLUMNS} FROM ledger_journal WHERE user_id = ?", user_id
        )

    async def replace(self, entry: JournalEntry) -> None:
        """Uses the primary key."""
        values = msgspec.structs.asdict(entry)
        changes = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE ledger_journal SET {changes} WHERE number = ?"
        await self._sql.run(statement, *values.values(), entry.number)

    async def page(self, after: int, limit: int) -> tuple[JournalEntry, ...]:
        """Uses the primary key."""
        statement = f"SELECT {COLUMNS} FROM ledger_journal WHERE number > ? ORDER BY number LIMIT ?"
        return await self._all(JournalEntry, statement, after, limit)

    async def unjournalled(self) -> str | None:
        """Reads every account of the steps door."""
        row = await self._sql.row(
            "SELECT ledger_name FROM account WHERE door = 'steps'"
            " AND NOT EXISTS (SELECT 1 FROM ledger_journal WHERE user_id = ledger_name) ORDER BY id LIMIT 1"
        )
        return None if row is None else str(row[0])
