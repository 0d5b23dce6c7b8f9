"""The embedded back end: one SQLite file in WAL mode.

    task → write() → WriteGate → queue → the writer's thread: BEGIN, unit*, COMMIT → listener → the tasks wake up
    task → read()  → queue → one of the readers' threads: BEGIN, unit, ROLLBACK     → the task wakes up
    task → look_up() → see `regserver.store.sqlite.look_up`

Each thread owns its connection, and so has the event loop, for look-ups alone. The writer commits all waiting units together
(group commit), because each commit flushes the disk. If one of them raises, all are rolled back and run again, each with a
savepoint, so that the failing one does not affect the others: savepoints are a third of the calls of a short unit. With `synchronous=FULL` a commit is durable before its tasks wake up.
"""

import logging
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import trio

from regserver.domain.times import Times
from regserver.group import unwrapped
from regserver.ports.audit_table import AuditPen
from regserver.ports.name_table import NameHash
from regserver.ports.store import EventListener, ForeignListener, Store, StoreFault, StoreFigure, T
from regserver.ports.transaction import Conflict
from regserver.store.rerun import Work, run_until_settled
from regserver.store.sql.sql_transaction import KEYLESS, SqlTransaction
from regserver.store.sqlite.connection import SqliteSql, connect
from regserver.store.sqlite.file_keeper import TEND_SECONDS, FileKeeper, StoreCondition, describe
from regserver.store.sqlite.file_watch import FilePolicy, FileWatch
from regserver.store.sqlite.kept_rows import KeptRows
from regserver.store.sqlite.look_up import LookUps
from regserver.store.sqlite.schema import migrate, require_newest
from regserver.store.sqlite.unit import Job, stay
from regserver.store.sqlite.write_gate import WriteGate

READERS = 3
MAX_BATCH = 512
"""Units in one commit."""

log = logging.getLogger("regserver.store")


class SqliteStore(Store):
    """The store on one SQLite file. Opened by `open_sqlite`."""

    def __init__(
        self,
        path: Path,
        token: trio.lowlevel.TrioToken,
        policy: FilePolicy,
        hash_name: NameHash | None,
        pen: AuditPen,
    ) -> None:
        self.commits = Times()
        self._path = path
        self._policy = policy
        self._hash_name = hash_name
        self._pen = pen
        self._condition = StoreCondition()
        self._trio = token
        self._writes = queue.SimpleQueue[list[Job[Any]] | None]()
        self._reads = queue.SimpleQueue[Job[Any] | None]()
        self._gate = WriteGate(self._writes.put)
        self._listener: EventListener = lambda events: None
        self._elsewhere: list[ForeignListener] = []
        self._look_ups: LookUps
        self._kept: KeptRows  # of the writer's thread
        self._closed = False

    def listen(self, listener: EventListener) -> None:
        """The listener is called with the events of a batch before its writers wake up."""
        self._listener = listener

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        """The listener is called by the upkeep of the file, which looks once a second."""
        self._elsewhere.append(listener)

    # These return a coroutine instead of awaiting it: each level has a cost in every request.
    def read(self, work: Work[T]) -> Coroutine[Any, Any, T]:
        """Runs `work` in a reader thread, within one read transaction."""
        return self._hand_over(self._reads.put, work)

    def look_up(self, work: Work[T]) -> Coroutine[Any, Any, T]:
        """Runs `work` on the event loop, together with others that wait."""
        return self._hand_over(self._look_ups.put_nowait, work)

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in the writer thread, in the commit of a batch."""
        try:
            return await self._hand_over(self._gate.put_nowait, work)
        except Conflict:
            return await run_until_settled(partial(self._hand_over, self._gate.put_nowait, work), before=1)

    async def check(self) -> None:
        """Reads the end of the log. Whether writes succeed is known from the writer's last attempt, without waiting for it."""
        if (fault := self._condition.fault()) is not None:
            raise StoreFault(fault)
        await self.read(lambda transaction: transaction.events.end())

    @property
    def figures(self) -> Sequence[StoreFigure]:
        """The queues of the writer and the readers."""
        text = "Callers that wait for the store."
        return (StoreFigure("store_waiting", text, lambda: self._writes.qsize() + self._reads.qsize()),)

    async def _hand_over(self, put: Callable[[Job[T]], None], work: Work[T]) -> T:
        # Cancellable before the unit is queued, not afterwards: then its outcome must be awaited.
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise StoreFault("the store is closed")
        job = Job(work)
        put(job)
        await trio.lowlevel.wait_task_rescheduled(stay)
        return job.result()

    # --- in the threads
    def _write_loop(self, connection: sqlite3.Connection) -> None:
        with closing(connection):
            self._kept = KeptRows(connection)
            transaction = SqlTransaction(SqliteSql(connection, self._kept), self._hash_name, self._pen)
            keeper = FileKeeper(
                connection, FileWatch(self._path, self._policy), self._condition, self._tell_elsewhere
            )
            while batch := self._next_batch(keeper):
                self._tend(keeper)
                try:
                    if self._condition.refused is None:
                        self._commit(connection, transaction, batch)
                    else:
                        _refuse(batch, self._condition.refused)
                except Exception as error:  # without this thread all who write would wait for ever
                    self._fail(connection, batch, _bug(error))
                self._trio.run_sync_soon(self._finish_writes, batch)
                del batch  # or the thread would keep its results while it waits for the next unit

    def _next_batch(self, keeper: FileKeeper) -> list[Job[Any]]:
        """Waits for a unit, and takes all waiting ones; an empty list tells the thread to end.

        keeper: looks after the file meanwhile.
        """
        while True:
            try:
                first = self._writes.get(timeout=TEND_SECONDS)
            except queue.Empty:
                self._tend(keeper, idle=True)
            else:
                return [] if first is None else self._add_waiting(first, MAX_BATCH)

    def _tend(self, keeper: FileKeeper, *, idle: bool = False) -> None:
        try:
            keeper.tend(idle=idle)
        except Exception as error:  # as above
            self._condition.fail(_bug(error))

    def _add_waiting(self, batch: list[Job[Any]], most: int) -> list[Job[Any]]:
        while len(batch) < most and not self._writes.empty():
            jobs = self._writes.get()
            if jobs is None:
                self._writes.put(None)
                break
            batch.extend(jobs)
        return batch

    def _commit(
        self, connection: sqlite3.Connection, transaction: SqlTransaction, batch: list[Job[Any]]
    ) -> None:
        self._condition.begin()
        started = time.perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._condition.got_lock()
            self._kept.begin()
            if not all(self._run(transaction, job) for job in batch):
                connection.execute("ROLLBACK")
                self._kept.clear()
                if len(batch) == 1:
                    return
                connection.execute("BEGIN IMMEDIATE")
                self._run_apart(connection, transaction, batch)
            connection.execute("COMMIT")
            self._condition.took()
            self.commits.add(time.perf_counter() - started)
        except sqlite3.Error as error:
            log.error("sqlite: %s", error)
            # Whoever came meanwhile has waited, too. Otherwise they would wait for the lock once more.
            self._fail(connection, self._add_waiting(batch, sys.maxsize), describe(error))

    def _run(self, transaction: SqlTransaction, job: Job[Any]) -> bool:
        """Runs one unit, and keeps its result and events. Returns whether it ended without an exception."""
        transaction.address = job.address
        fine = job.run(transaction.run)
        job.events = transaction.events.appended if fine else ()
        return fine

    def _run_apart(
        self, connection: sqlite3.Connection, transaction: SqlTransaction, batch: list[Job[Any]]
    ) -> None:
        for job in batch:
            connection.execute("SAVEPOINT unit")
            if not self._run(transaction, job):
                connection.execute("ROLLBACK TO unit")
                self._kept.clear()
            connection.execute("RELEASE unit")

    def _fail(self, connection: sqlite3.Connection, batch: list[Job[Any]], words: str) -> None:
        """The commit failed, so no unit of the batch has written anything."""
        self._condition.fail(words)
        _roll_back(connection)
        self._kept.clear()
        _refuse(batch, f"{self._path}: {words}")

    def _read_loop(self, connection: sqlite3.Connection) -> None:
        with closing(connection):
            transaction = SqlTransaction(SqliteSql(connection), self._hash_name, self._pen)
            while (job := self._reads.get()) is not None:
                try:
                    connection.execute("BEGIN")
                    job.run(transaction.run)
                    connection.execute("ROLLBACK")
                except sqlite3.Error as error:
                    _roll_back(connection)
                    job.error = StoreFault(f"{self._path}: {error}")
                self._trio.run_sync_soon(self._finish, [job])
                del job  # as above

    def _tell_elsewhere(self) -> None:
        self._trio.run_sync_soon(self._wake_listeners, idempotent=True)

    def _wake_listeners(self) -> None:
        for listener in self._elsewhere:
            listener()

    # --- on the event loop again
    def _finish_writes(self, batch: list[Job[Any]]) -> None:
        self._gate.finished_nowait(len(batch))
        self._finish(batch)

    def _finish(self, batch: list[Job[Any]]) -> None:
        if events := [event for job in batch for event in job.events]:
            self._listener(events)
        for job in batch:
            trio.lowlevel.reschedule(job.task)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """Runs the threads. Not from Trio's pool: they live as long as the store, and would use up the pool's limit."""
        patience = self._policy.busy_timeout_ms
        opened = connect(self._path, busy_timeout_ms=patience)
        only_read = [connect(self._path, read_only=True, busy_timeout_ms=patience) for _ in range(READERS)]
        own = connect(self._path, read_only=True, busy_timeout_ms=patience)
        own.execute("PRAGMA busy_timeout=0")
        transaction = SqlTransaction(SqliteSql(own), self._hash_name, self._pen)
        self._look_ups = LookUps(own, transaction, self._reads.put)
        writer = threading.Thread(target=self._write_loop, args=(opened,), name="sqlite-writer")
        readers = [
            threading.Thread(target=self._read_loop, args=(it,), name="sqlite-reader") for it in only_read
        ]
        for thread in (writer, *readers):
            thread.start()
        try:
            # Whoever uses the store wants their own error, not a group of one.
            with unwrapped(Exception):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._look_ups.run)
                    nursery.start_soon(self._gate.run)
                    try:
                        yield
                    finally:
                        self._closed = True
                        self._look_ups.stop()
                        self._gate.stop()
        finally:
            own.close()
            for _ in range(READERS):
                self._reads.put(None)
            with trio.CancelScope(shield=True):  # queued units are finished; the disk bounds the time
                for thread in readers:
                    await trio.to_thread.run_sync(thread.join)
                # The last to close folds the log into the file. Of several that close at once, none would.
                self._writes.put(None)
                await trio.to_thread.run_sync(writer.join)


def _roll_back(connection: sqlite3.Connection) -> None:
    """Ends a transaction that has failed. Where that fails too, so does the next BEGIN, which comes here again."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _bug(error: Exception) -> str:
    log.error("the store met a bug", exc_info=error)
    return f"a bug: {type(error).__name__}"


def _refuse(batch: list[Job[Any]], words: str) -> None:
    for job in batch:
        job.events = ()
        job.error = StoreFault(words)


@asynccontextmanager
async def open_sqlite(
    path: Path,
    policy: FilePolicy = FilePolicy(),  # noqa: B008
    hash_name: NameHash | None = None,
    pen: AuditPen = KEYLESS,
) -> AsyncIterator[SqliteStore]:
    """Migrates the file and opens the store; see `open_migrated`."""
    await trio.to_thread.run_sync(migrate, path, time.time_ns() // 1_000_000)
    async with open_migrated(path, policy, hash_name, pen) as store:
        yield store


@asynccontextmanager
async def open_migrated(
    path: Path,
    policy: FilePolicy = FilePolicy(),  # noqa: B008
    hash_name: NameHash | None = None,
    pen: AuditPen = KEYLESS,
) -> AsyncIterator[SqliteStore]:
    """Opens the store on a file whose schema is the newest. Raises StoreFault.

    hash_name: by which the names of erased accounts are found; None for work that gives no name away.
    pen: of the audit.
    """
    await trio.to_thread.run_sync(require_newest, path)
    store = SqliteStore(path, trio.lowlevel.current_trio_token(), policy, hash_name, pen)
    async with store._running():
        yield store
