"""The networked back end: units of work run on the event loop, each on a connection of the pool.

    write() → a connection → BEGIN READ COMMITTED, unit, the last event and COMMIT in one pipeline → the tail → the caller
    read()  → a connection → BEGIN REPEATABLE READ READ ONLY, unit, COMMIT                          → the caller

A unit that has begun is not cancelled with its caller: it ends within the policy's time, or it is stopped and the caller gets
StoreFault. Events are told by the one tail of the log (`log_tail`), so in its order, before the unit's caller goes on.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import msgspec
import trio

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId, Position
from regserver.domain.times import Times
from regserver.group import unwrapped
from regserver.ports.audit_table import AuditPen, asked_from
from regserver.ports.name_table import NameHash
from regserver.ports.node_link import NodeLink
from regserver.ports.store import (
    EventListener,
    ForeignListener,
    LossListener,
    Store,
    StoreCheck,
    StoreFault,
    StoreFigure,
    T,
    TextListener,
)
from regserver.ports.transaction import Lock
from regserver.store.postgres.dialect import native, store_error
from regserver.store.postgres.driver import (
    Begin,
    DatabaseFault,
    PgConnection,
    PgTransaction,
    Pool,
    connect,
    open_pool,
)
from regserver.store.postgres.log_tail import LogPage, LogTail, LogWentBack
from regserver.store.postgres.poll_link import PollLink
from regserver.store.postgres.postgres_health import PostgresHealth
from regserver.store.postgres.postgres_link import Connect, PostgresLink
from regserver.store.postgres.postgres_policy import PostgresPolicy
from regserver.store.postgres.postgres_schema import require_newest_schema
from regserver.store.postgres.postgres_sql import PostgresSql, lock_query
from regserver.store.rerun import Work, run_until_settled
from regserver.store.sql.event_rows import EventRows
from regserver.store.sql.sql_transaction import KEYLESS, SqlTransaction

READ: Final = Begin("REPEATABLE READ", read_only=True)
WRITE: Final = Begin("READ COMMITTED")
CHECK_SECONDS: Final = 2.0
FOREIGN_SECONDS: Final = 0.1
"""Between two calls of the foreign listeners. They ask the store for endings and the like, which costs several statements, and
another node that is busy says a word each millisecond."""
TIME: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


class PostgresStore(Store):
    """The store on one database. Opened by `open_postgres`."""

    def __init__(
        self,
        pool: Pool,
        connect: Connect,
        policy: PostgresPolicy,
        hash_name: NameHash | None,
        pen: AuditPen = KEYLESS,
    ) -> None:
        """connect: opens a connection beside the pool's."""
        self.commits = Times()
        self._pool = pool
        self._unit_seconds = policy.unit
        self._patience = policy.patience
        self._hash_name = hash_name
        self._pen = pen
        self.tail = LogTail(self._events_after)
        self.link = self._build_link(connect, policy)
        self._listens = policy.listens
        self._elsewhere: list[ForeignListener] = []
        self._text_listener: TextListener = lambda text: None
        self._foreign = trio.Event()
        self._health = PostgresHealth(pool, policy, self.tail, self.link, self._end_of_log)

    def _build_link(self, connect: Connect, policy: PostgresPolicy) -> NodeLink:
        if policy.link == "local":
            return PollLink(self._hear_nowait)
        return PostgresLink(connect, self._hear_nowait, lambda text: self._text_listener(text))

    def listen(self, listener: EventListener) -> None:
        """The listener is called by the tail of the log."""
        self.tail.listener = listener

    def listen_loss(self, listener: LossListener) -> None:
        """As above."""
        self.tail.loss_listener = listener

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        """The listener is called soon after a word of another node, and every second."""
        self._elsewhere.append(listener)

    def listen_texts(self, listener: TextListener) -> None:
        """The listener is called by the link, where that passes words."""
        self._text_listener = listener

    def say_nowait(self, text: str) -> None:
        """By the link."""
        self.link.say_nowait(text)

    def _hear_nowait(self) -> None:
        self.tail.wake_nowait()
        self._foreign.set()

    async def _run_elsewhere(self) -> None:
        """Calls the foreign listeners until cancelled, at once for the first of several words."""
        while True:
            await self._foreign.wait()
            self._foreign = trio.Event()
            for listener in self._elsewhere:
                listener()
            await trio.sleep(FOREIGN_SECONDS)

    async def read(self, work: Work[T]) -> T:
        """Runs `work` on a snapshot of its own."""
        found, _ = await self._run(work, READ)
        return found

    async def write(self, work: Work[T]) -> T:
        """Runs `work` at READ COMMITTED, where its locks order it."""
        started = trio.current_time()
        found, written = await run_until_settled(lambda: self._run(work, WRITE))
        self.commits.add(trio.current_time() - started)
        if written.concerns_others:
            self.link.tell_nowait()
        if events := written.events.appended:
            await self.tail.hear(events)
        return found

    async def time(self) -> Instant:
        """The server's clock, not that of a transaction."""
        return Instant(int(await self._ask(TIME)))

    def keep_time(self, now: Callable[[], Instant]) -> None:
        """Rows of the audit are dated by it."""
        self._pen = msgspec.structs.replace(self._pen, now=now)

    def now(self) -> Instant:
        """That of the audit."""
        return self._pen.now()

    async def check(self) -> None:
        """Reads the end of the log."""
        await self._end_of_log()

    @property
    def checks(self) -> Mapping[str, StoreCheck]:
        """The pool, the link and the tail of the log."""
        return self._health.checks

    @property
    def figures(self) -> Sequence[StoreFigure]:
        """Those of the pool."""
        return self._health.figures

    async def _end_of_log(self) -> EventId:
        """Without a transaction, and without long patience: health is asked often."""
        return EventId(int(await self._ask("SELECT max(id) FROM event") or 0))

    async def _ask(self, statement: str) -> Any:
        try:
            async with self._pool.connection(min(CHECK_SECONDS, self._patience)) as connection:
                return await connection.value(statement)
        except DatabaseFault as fault:
            raise store_error(fault) from fault

    async def _run(self, work: Work[T], begin: Begin) -> tuple[T, SqlTransaction]:
        try:
            async with self._pool.connection() as connection:
                with trio.move_on_after(self._unit_seconds, shield=True):
                    return await self._unit(connection, work, begin)
        except DatabaseFault as fault:
            raise store_error(fault) from fault
        raise StoreFault(f"a unit of work took longer than {self._unit_seconds:g} s")

    async def _unit(self, connection: PgConnection, work: Work[T], begin: Begin) -> tuple[T, SqlTransaction]:
        async with connection.transaction(begin) as block:
            transaction = SqlTransaction(self._sql(connection), self._hash_name, self._pen)
            transaction.address = asked_from.get()
            transaction.begin()
            found = await work(transaction)
            await self._end(block, transaction)
        return found, transaction

    def _sql(self, connection: PgConnection) -> PostgresSql:
        return PostgresSql(connection)

    async def _end(self, block: PgTransaction, transaction: SqlTransaction) -> None:
        """Sends the last event with its lock and COMMIT at once: the lock is held for one flush of the disk alone."""
        events = transaction.events
        if events.last is None:
            return await transaction.audit.finish()
        if transaction.audit.is_noted:  # rare: then the event is not the last
            await events.append(*events.last)
            return await transaction.audit.finish()
        statement, parameters = events.insertion(*events.last)
        queries = [lock_query(Lock.LOG), (f"{native(statement)} RETURNING id", parameters)]
        _, added = await block.commit_after(queries)
        (number,) = added.rows()[0]
        events.took(number, *events.last)
        return None

    async def _events_after(self, position: Position, limit: int) -> LogPage | LogWentBack:
        try:
            async with self._pool.connection() as connection:
                return await _read_tail(EventRows(self._sql(connection)), position, limit)
        except DatabaseFault as fault:
            raise store_error(fault) from fault

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self.tail.position = await self.read(lambda transaction: transaction.events.end())
        # Whoever uses the store wants their own error, not a group of one.
        with unwrapped(Exception):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.tail.run)
                nursery.start_soon(self.link.run_telling)
                if self._listens:
                    nursery.start_soon(self.link.run_listening)
                    nursery.start_soon(self._run_elsewhere)
                yield
                nursery.cancel_scope.cancel()


async def _read_tail(events: EventRows, position: Position, limit: int) -> LogPage | LogWentBack:
    """Reads the event at the position as well: while it is there, so is all before it, and one statement does."""
    page = await events.after(EventId(position.id - 1), limit + 1)
    if page and page[0][0] == position:
        return page[1:]
    if await events.continues(position, position.id):  # it was trimmed
        return page[:limit]
    return LogWentBack(await events.end())


@asynccontextmanager
async def open_postgres(
    url: str,
    policy: PostgresPolicy = PostgresPolicy(),  # noqa: B008
    hash_name: NameHash | None = None,
    pen: AuditPen = KEYLESS,
) -> AsyncIterator[PostgresStore]:
    """Opens the store on a database whose schema is the newest. Raises StoreFault.

    hash_name: by which the names of erased accounts are found; None for work that gives no name away.
    pen: of the audit.
    """

    async def prepare(connection: PgConnection) -> None:
        await connection.script(policy.settings)

    try:
        async with open_pool(url, policy.pool, prepare) as pool:
            async with pool.connection() as connection:
                await require_newest_schema(connection)
            store = PostgresStore(pool, partial(connect, url), policy, hash_name, pen)
            async with store._running():
                yield store
    except DatabaseFault as fault:
        raise StoreFault(f"PostgreSQL: {fault}") from fault
