"""The log of what happened in rooms."""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import Change, EventId, Position, RoomEvent


class EventTable(Protocol):
    """The log. A part of it is named by the two positions between which it lies: after the first, up to the second.

    An account sees the events of its stays, from the one that brought it in to the one that took it out, but for its
    own.
    """

    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> RoomEvent:
        """Writes the event; after the commit it goes to the store's listener, in order."""

    async def end(self) -> Position:
        """The newest position; never goes back. START while nothing has ever happened."""

    async def cut(self) -> Position:
        """The last position that was cut off; START while all is there."""

    async def reaches(self, position: Position) -> bool:
        """Whether this very position was once given out, and everything after it is still there."""

    async def count_seen(self, account: AccountId, start: EventId, end: EventId) -> int: ...

    async def seen(
        self, account: AccountId, start: EventId, end: EventId, limit: int
    ) -> tuple[RoomEvent, ...]:
        """The first `limit` of them, in order."""

    async def trim(self, before: Instant, limit: int) -> int:
        """Cuts off the oldest events, as long as they are older than `before`; at most `limit`, and never the newest.

        Stays which ended before the new beginning go along. How many events were cut off.
        """
