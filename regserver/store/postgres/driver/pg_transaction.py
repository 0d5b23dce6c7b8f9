"""Transactions that are safe under cancellation.

Trio's cancellation is level-triggered: within a cancelled scope every further wait is cancelled as well, ROLLBACK included.

    BEGIN      leaves together with the first statement, one round trip for both
    the block  cancelled: its statement is stopped (psycopg_hook), then ROLLBACK, shielded, within ROLLBACK_SECONDS
    COMMIT     not cancelled: whoever asked must learn the outcome, within COMMIT_SECONDS

COMMIT that takes longer is stopped, and CommitTimeout tells that it has not happened; an error in answer to it tells the
same. A connection that does not answer is closed. If that happens during COMMIT, the outcome is not known: OutcomeUnknown.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, NoReturn, Self, TypeVar

import psycopg
import trio

from regserver.store.postgres.driver.fault import (
    CommitTimeout,
    ConnectionLost,
    DatabaseFault,
    OutcomeUnknown,
    StatementFault,
)
from regserver.store.postgres.driver.pg_answer import PgAnswer
from regserver.store.postgres.driver.pg_wire import PgWire
from regserver.store.postgres.driver.translation import first_line

ROLLBACK_SECONDS: Final = 5.0
COMMIT_SECONDS: Final = 30.0

V = TypeVar("V")
Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
Query = tuple[str, Sequence[object]]
"""A statement and its parameters."""


@dataclass(frozen=True, slots=True)
class Begin:
    """How a transaction begins; None leaves it to the server's setting."""

    isolation: Isolation | None = None
    read_only: bool = False

    def words(self) -> bytes:
        """The statement."""
        level = f" ISOLATION LEVEL {self.isolation}" if self.isolation else ""
        return f"BEGIN{level}{' READ ONLY' if self.read_only else ''}".encode()


class PgTransaction:
    """A transaction as a context manager; within another one a savepoint. Made by `PgConnection.transaction`."""

    def __init__(self, raw: PgWire, begin: Begin, fault: Callable[[psycopg.Error], DatabaseFault]) -> None:
        self._raw = raw
        self._begin = begin
        self._fault = fault
        self._savepoint = b""
        self._open = False

    async def __aenter__(self) -> Self:
        raw = self._raw
        if raw.depth:
            self._savepoint = b"nested_%d" % raw.depth
            try:
                await raw.command(b"SAVEPOINT " + self._savepoint)
            except psycopg.Error as error:
                raise self._fault(error) from None
        else:
            await trio.lowlevel.checkpoint_if_cancelled()
            if not raw.at_rest:
                raise (
                    ConnectionLost("the connection is closed")
                    if raw.closed
                    else StatementFault("it is in use")
                )
            raw.begin = self._begin.words()
        raw.depth += 1
        raw.read_only_block = raw.read_only_block or self._begin.read_only
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            return
        if self._raw.begin is not None and not self._savepoint:
            self._end()  # nothing was sent
        elif error is None:
            await self._settle(self._commit)
        else:
            await self._roll_back()

    async def commit_after(self, queries: Sequence[Query]) -> list[PgAnswer]:
        """Ends the transaction: sends the queries and COMMIT as one pipeline, and returns the queries' answers.

        No round trip lies between them, so a lock that one of them takes is held for as short as can be. Nothing may
        follow in the block. If a query fails, nothing is committed. Not cancelled, as COMMIT is not.
        """
        if self._savepoint:
            raise StatementFault("a savepoint cannot be committed")

        async def send() -> list[PgAnswer]:
            *found, _ = await self._raw.answers([*queries, ("COMMIT", ())])
            return found

        return await self._settle(send)

    async def _settle(self, commit: Callable[[], Awaitable[V]]) -> V:
        """Shielded. Raises OutcomeUnknown; other faults where nothing was committed, after a ROLLBACK."""
        if self._raw.closed:
            self._end()
            raise ConnectionLost("the connection was lost, and the transaction is rolled back")
        with trio.move_on_after(COMMIT_SECONDS, shield=True):
            try:
                found = await commit()
            except psycopg.Error as error:
                if self._raw.closed:
                    raise self._unknown(first_line(str(error))) from None
                await self._roll_back()
                raise self._fault(error) from None
            self._end()
            return found
        return await self._overdue()

    async def _overdue(self) -> NoReturn:
        """COMMIT was stopped like any cancelled statement. Only its answer tells whether it was too late for that."""
        if not self._raw.closed and not self._raw.at_rest:
            await self._roll_back()
            raise CommitTimeout(
                f"the transaction was not committed within {COMMIT_SECONDS:g} s, so it was rolled back"
            )
        self._raw.abort()
        raise self._unknown("no answer came in time")

    async def _commit(self) -> None:
        if self._savepoint:
            await self._raw.command(b"RELEASE " + self._savepoint)
        elif await self._raw.command(b"COMMIT") != b"COMMIT":
            self._end()
            raise StatementFault("a statement of the transaction had failed, so it was rolled back", "25P02")

    def _unknown(self, words: str) -> DatabaseFault:
        self._end()
        if self._begin.read_only or self._savepoint:
            return ConnectionLost(words)
        return OutcomeUnknown(f"the connection was lost during COMMIT, which may have happened: {words}")

    async def _roll_back(self) -> None:
        words = b"ROLLBACK TO %b; RELEASE %b" % (self._savepoint, self._savepoint)
        with trio.move_on_after(ROLLBACK_SECONDS, shield=True) as scope:
            try:
                if not self._raw.closed:
                    await self._raw.script(words if self._savepoint else b"ROLLBACK")
            except psycopg.Error:
                self._raw.abort()  # the server ends what it was in
        if scope.cancelled_caught:
            self._raw.abort()
        self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._raw.depth -= 1
            if not self._raw.depth:
                self._raw.begin, self._raw.read_only_block = None, False
