"""The store on PostgreSQL as the contract suites need it: `Turn` lets a test hold a unit before one of its statements."""

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import psycopg
import trio

from regserver.domain.room_event import START
from regserver.ports.transaction import Conflict, Lock, LockKey
from regserver.store.postgres import PostgresPolicy, PostgresStore, migrate_postgres
from regserver.store.postgres.driver import (
    Begin,
    PgAnswer,
    PgConnection,
    PgTransaction,
    Pool,
    PoolPolicy,
    connect,
    open_pool,
)
from regserver.store.postgres.postgres_link import Connect
from regserver.store.postgres.postgres_sql import PostgresSql
from regserver.store.rerun import Work
from regserver.store.sql.sql_transaction import SqlTransaction
from tests.fake import NAME_HASH
from tests.peer.postgres import Cluster

UNITS = 16
EMPTYING = """
SELECT 'SET session_replication_role = replica; UPDATE event_cut SET position = 0, at = 0;' || string_agg(format('DELETE FROM %I;', tablename), ' ')
    || (SELECT string_agg(format('ALTER SEQUENCE %I RESTART;', sequencename), ' ') FROM pg_sequences)
FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('migration', 'event_cut')
"""


class Turn:
    """One task's leave to go on: it stops before its statement number `stop_at`, once, until it is let go."""

    def __init__(self, stop_at: int | None = None) -> None:
        self._stop_at = stop_at
        self._count = 0
        self.stopped = trio.Event()
        self.go = trio.Event()

    async def before_statement(self) -> None:
        if self._count == self._stop_at:
            self.stopped.set()
            await self.go.wait()
        self._count += 1


turn: ContextVar[Turn] = ContextVar("turn")
FREE = Turn()


class HeldSql(PostgresSql):
    """Waits for its turn before each statement, and holds units to the order of the locks."""

    def __init__(self, connection: PgConnection, forgotten: Lock | None) -> None:
        super().__init__(connection)
        self._forgotten = forgotten
        self._held: list[Lock] = []

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        if lock == self._forgotten:
            return
        assert lock == Lock.LOG or not self._held or lock > self._held[-1], f"{lock} after {self._held}"
        self._held.append(lock)
        await super().lock(lock, *keys)

    async def _execute(self, statement: str, parameters: Sequence[object]) -> PgAnswer:
        await turn.get(FREE).before_statement()
        return await super()._execute(statement, parameters)


class HeldStore(PostgresStore):
    """forgotten: a lock that is left out. conflicts: those that were met.

    watcher: another connection. Its units end with one statement after another, so that a test can hold them there.
    """

    def __init__(self, pool: Pool, connect: Connect, watcher: "psycopg.Connection[tuple[Any, ...]]") -> None:
        super().__init__(pool, connect, PostgresPolicy(listens=False), NAME_HASH)
        self.forgotten: Lock | None = None
        self.conflicts: list[Conflict] = []
        self._watcher = watcher
        self._emptying = ""

    def _sql(self, connection: PgConnection) -> HeldSql:
        return HeldSql(connection, self.forgotten)

    async def _run(self, work: Work[Any], begin: Begin) -> Any:
        try:
            return await super()._run(work, begin)
        except Conflict as conflict:
            self.conflicts.append(conflict)
            raise

    async def _end(self, block: PgTransaction, transaction: SqlTransaction) -> None:
        if (last := transaction.events.last) is not None:
            await transaction.events.append(*last)
        await turn.get(FREE).before_statement()

    def waiting(self) -> bool:
        """Whether a unit waits for a lock of another one."""
        found = self._watcher.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return found.fetchone() is not None

    def empty(self) -> None:
        """Makes the database as it was when it had been migrated."""
        if not self._emptying:
            row = self._watcher.execute(EMPTYING).fetchone()
            assert row is not None
            self._emptying = row[0]
        self._watcher.execute(self._emptying.encode())
        self.tail.position = START


@asynccontextmanager
async def open_held(place: str) -> AsyncIterator[HeldStore]:
    with psycopg.connect(place, autocommit=True) as watcher:
        async with open_pool(place, PoolPolicy(least=2, most=UNITS)) as pool:
            store = HeldStore(pool, partial(connect, place), watcher)
            async with store._running():
                yield store


def databases(cluster: Cluster) -> Callable[[], str]:
    """Returns what makes a new, migrated database: its place. One is migrated once, and the others are its copies."""
    template = cluster.create_database()
    # A fixture may ask for it within a test's own loop, so this one is in a thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(trio.run, migrate_postgres, cluster.place(template), 0).result()
    return lambda: cluster.place(cluster.create_database(template))
