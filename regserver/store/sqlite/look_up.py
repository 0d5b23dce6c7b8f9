"""Brief reads on the event loop: a few rows by their keys take less time than the way to a thread and back.

    task → put_nowait → queue → the store's own task: BEGIN, unit*, ROLLBACK → the tasks wake up

All that wait are read in one transaction and one step of the loop, as a thread would read them one after another: many short
requests cost a third less than each in a step of its own. A step lasts SLICE_SECONDS and what the last unit adds. Where a unit
took SLOW_SECONDS, since the disk is slow or it reads more than it should, the reader threads do this work for a while.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from regserver.ports.store import StoreFault
from regserver.store.sql.sql_transaction import SqlTransaction
from regserver.store.sqlite.unit import Job

SLICE_SECONDS = 0.001
SLOW_SECONDS = 0.005
REST_SECONDS = 1.0


class LookUps:
    """The brief reads of one store. connection: read-only, used by nothing else, and waits for no lock.

    transaction: on that connection. in_thread: queues a unit for the reader threads.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        transaction: SqlTransaction,
        in_thread: Callable[[Job[Any]], None],
    ) -> None:
        self._connection = connection
        self._transaction = transaction
        self._in_thread = in_thread
        self._jobs: deque[Job[Any]] = deque()
        self._idle = trio.lowlevel.ParkingLot()
        self._rests_until = 0.0
        self._stopped = False

    def put_nowait(self, job: Job[Any]) -> None:
        """Queues a unit; its task is woken with the result."""
        if time.perf_counter() < self._rests_until:
            self._in_thread(job)
            return
        self._jobs.append(job)
        self._idle.unpark()

    async def run(self) -> None:
        """Serves until `stop`, also within a cancelled scope: whoever cleans up there may still ask."""
        with trio.CancelScope(shield=True):
            while self._jobs or not self._stopped:
                if self._jobs:
                    await trio.lowlevel.checkpoint()
                else:
                    await self._idle.park()
                self._serve()

    def stop(self) -> None:
        """Ends `run` once the queue is empty."""
        self._stopped = True
        self._idle.unpark()

    def _serve(self) -> None:
        started = last = time.perf_counter()
        self._connection.execute("BEGIN")
        while self._jobs and last - started < SLICE_SECONDS:
            job = self._jobs.popleft()
            if not job.run(self._transaction.run) and _is_busy(job.error):
                self._in_thread(job)  # where it can wait for the lock
            else:
                trio.lowlevel.reschedule(job.task)
            now = time.perf_counter()
            if now - last > SLOW_SECONDS:
                self._rests_until = now + REST_SECONDS
            last = now
        self._connection.rollback()


def _is_busy(error: BaseException | None) -> bool:
    return (
        isinstance(error, StoreFault)
        and getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
    )
