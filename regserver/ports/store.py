"""The store, which runs units of work; `regserver.ports.transaction` defines these."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.room_event import RoomEvent
from regserver.domain.times import Times
from regserver.ports.transaction import Transaction

T = TypeVar("T")

EventListener = Callable[[Sequence[RoomEvent]], None]
"""Called with committed events, in the order of the log, on the event loop's thread. It must not block or raise."""


ForeignListener = Callable[[], None]
"""Called after another process has written to the store, on the event loop's thread. It must not block or raise."""


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

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        """Adds a listener, which is told within seconds when another process has written.

        Several changes may be told as one, and a change of nothing that matters as well.
        """

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
