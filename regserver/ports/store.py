"""The store runs units of work; `regserver.ports.transaction` says what they are and may rely on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from regserver.domain.room_event import RoomEvent
from regserver.ports.transaction import Transaction

T = TypeVar("T")

EventListener = Callable[[Sequence[RoomEvent]], None]
"""Takes committed events in the order of the log, on the event loop's thread. It must not block or raise."""


class StoreFault(Exception):
    """The store cannot do its work: disk full, file unreadable, server gone. The message is for the operator."""


class Store(Protocol):
    def listen(self, listener: EventListener) -> None:
        """Sets the one listener, which hears of every commit that appended events; until then nobody does."""

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` on a snapshot; what it writes is refused. Raises StoreFault."""

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work`, again after each Conflict, and commits durably before returning.

        An exception of `work` rolls it back and comes out here. Once handed over it is not interrupted: a cancelled
        caller is held until the outcome is known, so that nobody is told "no" of what was written. Raises StoreFault.
        """

    async def check(self) -> None:
        """Touches the database; raises StoreFault when it does not answer."""
