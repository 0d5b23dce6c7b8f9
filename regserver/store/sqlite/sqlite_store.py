"""The embedded back end: one SQLite file in WAL mode.

One thread writes and a few read; each owns its connection, and nothing of SQLite ever runs on the event loop.
Writers meet in a queue: whatever waits there when the thread is free becomes one commit (group commit), each unit of
work in its own savepoint, so that a failing one takes nobody along. `synchronous=FULL` makes a commit durable before
anybody is told of it, and the events of a batch go to the listener in log order before its writers wake up.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Generic, cast

import outcome
import trio

from regserver.domain.room_event import RoomEvent
from regserver.ports.store import EventListener, Store, StoreFault, T
from regserver.ports.transaction import Conflict, Transaction
from regserver.store.rerun import run_until_settled
from regserver.store.sql import SqlTransaction
from regserver.store.sqlite.connection import SqliteSql, connect
from regserver.store.sqlite.schema import migrate

Work = Callable[[Transaction], Awaitable[T]]

READERS = 3
MAX_BATCH = 512

log = logging.getLogger("regserver.store")


class _Job(Generic[T]):
    """A unit of work on its way to a thread and back."""

    __slots__ = ("events", "result", "task", "work")

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.task = trio.lowlevel.current_task()
        self.result: outcome.Maybe[T] | None = None
        self.events: Sequence[RoomEvent] = ()


_Queue = queue.SimpleQueue[_Job[Any] | None]


class SqliteStore(Store):
    """The store on one SQLite file. Opened by `open_sqlite`."""

    def __init__(self, path: Path, token: trio.lowlevel.TrioToken) -> None:
        self._path = path
        self._trio = token
        self._writes: _Queue = queue.SimpleQueue()
        self._reads: _Queue = queue.SimpleQueue()
        self._listener: EventListener = lambda events: None
        self._closed = False

    def listen(self, listener: EventListener) -> None:
        self._listener = listener

    async def read(self, work: Work[T]) -> T:
        return await self._hand_over(self._reads, work)

    async def write(self, work: Work[T]) -> T:
        return await run_until_settled(lambda: self._hand_over(self._writes, work))

    async def check(self) -> None:
        await self.read(_touch)

    async def _hand_over(self, jobs: _Queue, work: Work[T]) -> T:
        # One checkpoint for cancellation before, none after: from here on the outcome must be awaited.
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise StoreFault("the store is closed")
        job = _Job(work)
        jobs.put(job)
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        assert job.result is not None  # noqa: S101  (set before the task is woken)
        return job.result.unwrap()

    # --- in the threads
    def _write_loop(self, connection: sqlite3.Connection) -> None:
        with contextlib.closing(connection):
            self._write_until_told(connection)

    def _write_until_told(self, connection: sqlite3.Connection) -> None:
        transaction = SqlTransaction(SqliteSql(connection))
        while batch := self._next_batch():
            self._commit(connection, transaction, batch)
            self._wake(batch)
            del batch  # what was done is not held while there is nothing to do

    def _next_batch(self) -> list[_Job[Any]]:
        """Waits for something to write, and takes what else is there; nothing when the thread is to end."""
        batch: list[_Job[Any]] = []
        while not batch or (len(batch) < MAX_BATCH and not self._writes.empty()):
            job = self._writes.get()
            if job is None:
                if batch:
                    self._writes.put(None)
                break
            batch.append(job)
        return batch

    def _commit(
        self, connection: sqlite3.Connection, transaction: SqlTransaction, batch: list[_Job[Any]]
    ) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                connection.execute("SAVEPOINT unit")
                job.result = outcome.capture(run_to_end, transaction.run, job.work)
                if hasattr(job.result, "error"):
                    connection.execute("ROLLBACK TO unit")
                else:
                    job.events = transaction.events.appended
                connection.execute("RELEASE unit")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(connection, batch, error)

    def _fail(self, connection: sqlite3.Connection, batch: list[_Job[Any]], error: sqlite3.Error) -> None:
        """The commit did not happen: nobody in the batch has written anything."""
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        log.error("sqlite: %s", error)
        for job in batch:
            job.events = ()
            job.result = outcome.Error(StoreFault(f"{self._path}: {error}"))

    def _read_loop(self, connection: sqlite3.Connection) -> None:
        with contextlib.closing(connection):
            self._read_until_told(connection)

    def _read_until_told(self, connection: sqlite3.Connection) -> None:
        transaction = SqlTransaction(SqliteSql(connection))
        while (job := self._reads.get()) is not None:
            try:
                connection.execute("BEGIN")
                job.result = outcome.capture(run_to_end, transaction.run, job.work)
                connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                job.result = outcome.Error(StoreFault(f"{self._path}: {error}"))
            self._wake([job])
            del job

    def _wake(self, batch: list[_Job[Any]]) -> None:
        self._trio.run_sync_soon(self._finish, batch)

    # --- on the event loop again
    def _finish(self, batch: list[_Job[Any]]) -> None:
        if events := [event for job in batch for event in job.events]:
            self._listener(events)
        for job in batch:
            trio.lowlevel.reschedule(job.task)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """Threads of our own rather than the pool's: they live as long as the store and must not count against it."""
        threads = [
            threading.Thread(target=self._write_loop, args=(connect(self._path),), name="sqlite-writer")
        ]
        threads += [
            threading.Thread(
                target=self._read_loop, args=(connect(self._path, read_only=True),), name=f"sqlite-{n}"
            )
            for n in range(READERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._closed = True
            self._writes.put(None)
            for _ in range(READERS):
                self._reads.put(None)
            with trio.CancelScope(shield=True):  # what was handed over is finished; disk time bounds this
                for thread in threads:
                    await trio.to_thread.run_sync(thread.join)


def run_to_end(run: Callable[[Work[T]], Coroutine[Any, Any, T]], work: Work[T]) -> T:
    """Drives a unit of work that never suspends, as those of an embedded store do. Raises StoreFault and Conflict."""
    coroutine = run(work)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    except sqlite3.IntegrityError as error:
        raise Conflict(str(error)) from error
    except sqlite3.OperationalError as error:
        raise StoreFault(str(error)) from error
    coroutine.close()
    raise RuntimeError("a unit of work awaited something that is not its transaction")


async def _touch(transaction: Transaction) -> None:
    await transaction.events.end()


@asynccontextmanager
async def open_sqlite(path: Path) -> AsyncIterator[SqliteStore]:
    """Opens the store, migrating it first. Raises StoreFault."""
    await trio.to_thread.run_sync(migrate, path, time.time_ns() // 1_000_000)
    store = SqliteStore(path, trio.lowlevel.current_trio_token())
    async with store._running():
        yield store
