"""One unit of work of the embedded back end: on its way to whoever runs it and back, and how it is run."""

import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, cast

import outcome
import trio

from regserver.domain.room_event import RoomEvent
from regserver.ports.audit_table import asked_from
from regserver.ports.store import StoreFault, T
from regserver.ports.transaction import Conflict
from regserver.store.rerun import Work


class Job(Generic[T]):
    """A unit of the current task. Whoever runs it sets the result, then wakes the task."""

    __slots__ = ("address", "events", "result", "task", "work")

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.address = asked_from.get()  # here, since the thread that runs it knows no request
        self.task = trio.lowlevel.current_task()
        self.result: outcome.Maybe[T] | None = None
        self.events: Sequence[RoomEvent] = ()

    async def wait(self) -> T:
        """Waits for the result, which is not cancelled: what was queued is run. Raises what the unit raised."""
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        assert self.result is not None  # noqa: S101  (set before the task is woken)
        return self.result.unwrap()


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
