"""The store: units of work, run on a snapshot or committed durably."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from regserver.domain.room_event import RoomEvent
from regserver.ports.transaction import Transaction

T = TypeVar("T")


class StoreFault(Exception):
    """The store cannot do its work: disk full, file unreadable, server gone. The message is for the operator."""


class Store(Protocol):
    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` on a snapshot; what it writes is refused. Raises StoreFault."""

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` and commits durably before returning; an exception of `work` rolls it back and comes out here.

        Once handed over it is not interrupted: a cancelled caller is held until the outcome is known, so that nobody
        is told "no" of what was written. Raises StoreFault.
        """

    async def check(self) -> None:
        """Touches the database; raises StoreFault when it does not answer."""


EventListener = Callable[[Sequence[RoomEvent]], None]
"""Called on the event loop's thread after each commit that appended events, in commit order; must not block or raise."""
