"""One unit of work of the embedded back end: on its way to whoever runs it and back, and how it is run."""

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, cast

import trio

from regserver.domain.room_event import RoomEvent
from regserver.ports.audit_table import asked_from
from regserver.ports.store import StoreFault, T
from regserver.ports.transaction import Conflict
from regserver.store.rerun import Work


class Job(Generic[T]):
    """A unit of the current task. Whoever runs it runs it here, or sets its error, then wakes the task.

    error: what the unit raised; None where it has a result.
    """

    __slots__ = ("_value", "address", "error", "events", "task", "work")

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.address = asked_from.get()  # here, since the thread that runs it knows no request
        self.task = trio.lowlevel.current_task()
        self.error: BaseException | None = None
        self.events: Sequence[RoomEvent] = ()

    def run(self, run: Callable[[Work[T]], Coroutine[Any, Any, T]]) -> bool:
        """Runs the unit; returns whether it ended without an exception. run: of the transaction."""
        try:
            self._value = run_to_end(run, self.work)
        except BaseException as error:
            self.error = error
            return False
        self.error = None
        return True

    def result(self) -> T:
        """What the unit returned. Raises what it raised."""
        if self.error is None:
            return self._value
        error, self.error = self.error, None  # or the exception's traceback would keep itself
        try:
            raise error
        finally:
            del error


def stay(_: object) -> trio.lowlevel.Abort:
    """A task that waits for its unit is not woken by a cancellation: what was queued is run."""
    return trio.lowlevel.Abort.FAILED


def run_to_end(run: Callable[[Work[T]], Coroutine[Any, Any, T]], work: Work[T]) -> T:
    """Runs a unit of work, which never suspends here. Raises StoreFault, Conflict, and exceptions of the unit."""
    coroutine = run(work)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    except sqlite3.IntegrityError as error:
        raise Conflict(str(error)) from error
    except sqlite3.ProgrammingError:
        raise  # a bug, for the log
    except sqlite3.DatabaseError as error:
        raise StoreFault(str(error)) from error
    coroutine.close()
    raise RuntimeError("a unit of work awaited something that is not its transaction")
