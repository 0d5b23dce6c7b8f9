"""The store, which runs units of work; `regserver.ports.transaction` defines these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.room_event import EventId, RoomEvent
from regserver.domain.times import Times
from regserver.ports.clock import machine_time
from regserver.ports.transaction import Transaction

T = TypeVar("T")

EventListener = Callable[[Sequence[RoomEvent]], None]
"""Called with committed events, in the order of the log, on the event loop's thread. It must not block or raise."""


LossListener = Callable[[EventId], None]
"""Called when the log lacks events that the listener was told; with the end of the log. It must not block or raise."""


ForeignListener = Callable[[], None]
"""Called after another process has written to the store, on the event loop's thread. It must not block or raise."""


TextListener = Callable[[str], None]
"""Called with what another process has said, on the event loop's thread. It must not block or raise."""

MOST_TEXT = 7_900
"""Bytes of what a process can say at once."""


StoreCheck = Callable[[], Awaitable[str | None]]
"""Checks one part of the store; returns None, or its fault in words for the operator."""


class StoreFigure(msgspec.Struct, frozen=True):
    """A number for the metrics. is_count: it only grows. read: the number now."""

    name: str
    text: str
    read: Callable[[], int]
    is_count: bool = False


class StoreFault(Exception):
    """The store cannot do its work: disk full, file unreadable, server gone. The message is for the operator."""


class Store(Protocol):
    """Runs units of work, each in a transaction. commits: how long they take."""

    commits: Times

    def listen(self, listener: EventListener) -> None:
        """Sets the one listener, which is called after every commit that appended events."""

    def listen_loss(self, listener: LossListener) -> None:
        """Sets the one listener for a log that has gone back, as after a fail-over that lost commits.

        Later events follow on the end that it is called with, and may have the ids of those that are lost.
        """
        return None

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        """Adds a listener, which is told within seconds when another process has written.

        Several changes may be told as one, and a change of nothing that matters as well.
        """

    def listen_texts(self, listener: TextListener) -> None:
        """Sets the one listener for what other processes say."""
        return None

    def say_nowait(self, text: str) -> None:
        """Says something to all other processes on this store, of MOST_TEXT at most. Nothing keeps it, and it may be lost."""
        return None

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` on a snapshot, where writes are refused. Raises StoreFault."""

    def look_up(self, work: Callable[[Transaction], Awaitable[T]]) -> Awaitable[T]:
        """As `read`, for work that finds a few rows by their keys: a back end may have a shorter way for it.

        What lists, counts or searches is for `read`.
        """
        return self.read(work)

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work`, again after each Conflict, and commits durably before returning.

        An exception of `work` rolls it back and is raised here. A started unit is not interrupted: a cancelled caller
        waits until the outcome is known, so that no caller takes a committed unit for failed. Raises StoreFault.
        """

    async def time(self) -> Instant | None:
        """The clock of its machine; None where it has none but this machine's. Raises StoreFault."""
        return None

    def keep_time(self, now: Callable[[], Instant]) -> None:
        """Takes the clock for what the store dates by itself, the audit. Before, it is this machine's."""
        return None

    def now(self) -> Instant:
        """The clock that it has taken."""
        return machine_time()

    async def check(self) -> None:
        """Touches the database; raises StoreFault when it does not answer."""

    @property
    def checks(self) -> Mapping[str, StoreCheck]:
        """Its parts that readiness shows beside it, by name."""
        return {}

    @property
    def figures(self) -> Sequence[StoreFigure]:
        """What it has for the metrics."""
        return ()
