"""A connection: statements, transactions, pipelines, COPY, notifications.

    async with await connect("postgresql://…") as connection:
        async with connection.transaction():
            row = await connection.row("SELECT name FROM account WHERE id = $1", 7)

One task uses a connection at a time. Each statement is committed by itself unless a transaction is open. Every call raises
DatabaseFault, and nothing of psycopg's own.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import psycopg
import trio
from psycopg import AsyncCopy, Notify
from psycopg.sql import SQL, Identifier

from regserver.store.postgres.driver.fault import (
    DatabaseFault,
    StatementFault,
)
from regserver.store.postgres.driver.pg_answer import PgAnswer
from regserver.store.postgres.driver.pg_transaction import Begin, PgTransaction, Query
from regserver.store.postgres.driver.pg_wire import PgWire
from regserver.store.postgres.driver.psycopg_hook.trio_connection import PgRow
from regserver.store.postgres.driver.translation import fault_of

STREAM_ROWS: Final = 100
"""Rows that a stream reads at a time."""


class PgConnection:
    """One connection to one server. Opened by `connect`, or lent by a pool."""

    def __init__(self, raw: PgWire) -> None:
        self._raw = raw
        self.stale = False
        """Whether it is to be closed instead of being used again, since it is no longer as it was when new."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes it at once. A task that waits for it gets ConnectionLost."""
        self._raw.abort()

    @property
    def closed(self) -> bool:
        """Whether it is closed, by whichever side."""
        return self._raw.closed

    @property
    def at_rest(self) -> bool:
        """Whether it is open, runs nothing, and is in no transaction."""
        return self._raw.at_rest

    @property
    def has_input(self) -> bool:
        """Whether the server has sent something unasked, or has closed the connection."""
        return self._raw.has_input

    @property
    def raw(self) -> PgWire:
        """psycopg's connection, for what is not here. Its errors are psycopg's."""
        return self._raw

    # --- statements
    async def execute(self, statement: str, *parameters: object) -> PgAnswer:
        """Runs a statement; returns all of its answer."""
        try:
            return await self._raw.answer(statement, parameters)
        except psycopg.Error as error:
            raise self.fault(error) from None

    async def row(self, statement: str, *parameters: object) -> PgRow | None:
        """The first row, or None."""
        return (await self.execute(statement, *parameters)).row()

    async def value(self, statement: str, *parameters: object) -> Any:
        """The first column of the first row, or None."""
        row = (await self.execute(statement, *parameters)).row()
        return None if row is None else row[0]

    async def rows(self, statement: str, *parameters: object) -> list[PgRow]:
        """All rows."""
        return (await self.execute(statement, *parameters)).rows()

    async def run(self, statement: str, *parameters: object) -> int:
        """The number of rows that were changed or found."""
        return (await self.execute(statement, *parameters)).count

    async def run_many(self, statement: str, parameters: Iterable[Sequence[object]]) -> None:
        """Runs the statement once for each set of parameters: all of them, or none if one fails."""
        await self.pipeline([(statement, each) for each in parameters])

    async def pipeline(self, queries: Sequence[Query]) -> list[PgAnswer]:
        """Runs statements in one round trip, and as one transaction where none is open.

        Raises the fault of the first that fails; those behind it are not run.
        """
        try:
            return await self._raw.answers(queries)
        except psycopg.Error as error:
            raise self.fault(error) from None

    async def script(self, text: str) -> None:
        """Runs statements without parameters, separated by semicolons, in one message."""
        try:
            await self._raw.script(text.encode())
        except psycopg.Error as error:
            raise self.fault(error) from None

    async def ping(self, within: float) -> None:
        """Makes a round trip to the server. If it takes longer than so many seconds, the connection is closed."""
        try:
            await self._raw.script(b"", within)
        except psycopg.Error as error:
            raise self.fault(error) from None

    def transaction(self, begin: Begin = Begin()) -> PgTransaction:  # noqa: B008
        """BEGIN, then COMMIT at the end of the block, or ROLLBACK if an exception leaves it; see `pg_transaction`."""
        return PgTransaction(self._raw, begin, self.fault)

    # --- psycopg's own
    @asynccontextmanager
    async def stream(
        self, statement: str, *parameters: object, size: int = STREAM_ROWS
    ) -> AsyncIterator[AsyncIterator[PgRow]]:
        """Reads a result of any length. A block that ends early stops the statement.

        size: rows that are read at a time.
        """
        rows = self._raw.cursor().stream(statement.encode(), parameters, size=size)
        ours = self._stream(rows)
        try:
            yield ours
        finally:
            await self._raw.discard_results()
            with trio.CancelScope(shield=True):
                await ours.aclose()
                await rows.aclose()  # type: ignore[attr-defined]  # a generator, which psycopg calls an iterator

    async def _stream(self, rows: AsyncIterator[PgRow]) -> AsyncGenerator[PgRow, None]:
        try:
            await self._raw.begin_now()
            async for row in rows:
                yield row
        except psycopg.Error as error:
            raise self.fault(error) from None

    @asynccontextmanager
    async def copy(self, statement: str, *parameters: object) -> AsyncIterator[AsyncCopy]:
        """COPY … FROM STDIN or TO STDOUT, by psycopg's AsyncCopy. An exception that leaves the block ends the COPY."""
        try:
            await self._raw.begin_now()
            async with self._raw.cursor().copy(statement.encode(), parameters) as copy:
                yield copy
        except psycopg.Error as error:
            raise self.fault(error) from None
        finally:
            await self._raw.discard_results()

    async def listen(self, channel: str) -> None:
        """Asks for the notifications of a channel. A pool does not lend this connection again."""
        self.stale = True
        await self.script(SQL("LISTEN {}").format(Identifier(channel)).as_string(self._raw))

    async def notifications(self, within: float | None = None) -> list[Notify]:
        """Waits for notifications; returns those that have come, or none after so many seconds."""
        found: list[Notify] = []
        stream = self._raw.notifies(timeout=within, stop_after=1)
        try:
            found += [each async for each in stream]
        except psycopg.Error as error:
            raise self.fault(error) from None
        finally:
            with trio.CancelScope(shield=True):
                await stream.aclose()
        return found

    def fault(self, error: psycopg.Error) -> DatabaseFault:
        """Puts an error of psycopg into the hierarchy of `fault`."""
        fault = fault_of(error, lost=self._raw.closed)
        if fault.sqlstate in ("0A000", "26000"):
            self.stale = True  # its prepared statements are
        if fault.sqlstate == "25006":
            if self._raw.read_only_block:
                return StatementFault(str(fault), fault.sqlstate)
            # Its server has become a standby; a new connection finds the one that takes writes.
            self.stale = True
        return fault
