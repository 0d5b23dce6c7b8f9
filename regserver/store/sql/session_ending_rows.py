"""Whose sessions have ended."""

from collections.abc import Sequence

from regserver.domain.account import AccountId
from regserver.ports.session_ending_table import SessionEnding
from regserver.store.sql.statement import Rows, Sql, columns

ENDING = columns(SessionEnding)
KEPT = 10_000
"""More than come while a node has lost the database for a moment."""


class SessionEndingRows(Rows):
    """The table session_ending. added: whether this unit has told of one."""

    def __init__(self, sql: Sql) -> None:
        super().__init__(sql)
        self.added = False

    async def add(self, account: AccountId) -> None:
        """One statement."""
        self.added = True
        await self._sql.run("INSERT INTO session_ending (account_id) VALUES (?)", account)

    async def after(self, number: int) -> Sequence[SessionEnding]:
        """By the primary key."""
        statement = f"SELECT {ENDING} FROM session_ending WHERE id > ? ORDER BY id"
        return await self._all(SessionEnding, statement, number)

    async def ends(self) -> tuple[int, int]:
        """By the primary key."""
        row = await self._sql.row("SELECT min(id), max(id) FROM session_ending")
        return (0, 0) if row is None or row[0] is None else (int(row[0]), int(row[1]))

    async def purge(self) -> None:
        """One statement."""
        statement = "DELETE FROM session_ending WHERE id <= (SELECT max(id) FROM session_ending) - ?"
        await self._sql.run(statement, KEPT)
