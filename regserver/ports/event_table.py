"""The log of what happened in rooms.

Recovery and the broker rely on one thing: whoever sees an event sees all those with smaller ids too. So ids must become
visible in their order, and every unit that appends holds Lock.LOG from the append to its commit.
"""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import Change, EventId, Position, RoomEvent


class EventTable(Protocol):
    """The log. A part of it is named by the two positions between which it lies: after the first, up to the second.

    An account sees the events of its memberships, from the one that brought it in to the one that took it out, except
    its own.
    """

    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> RoomEvent:
        """Takes Lock.LOG and writes the event, for a change that needs its id; little should follow in the unit.

        After the commit the event goes to the store's listener, in order.
        """

    def append_last(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> None:
        """The same as the last statement of the unit, which a networked store sends together with the commit."""

    async def end(self) -> Position:
        """The newest position; never goes back. START while nothing has ever happened."""

    async def cut(self) -> Position:
        """The last position that was cut off; START while all is there."""

    async def reaches(self, position: Position) -> bool:
        """Whether this very position was once given out, and everything after it is still there."""

    async def count_seen(self, account: AccountId, start: EventId, end: EventId) -> int:
        """How many events of this part the account sees."""

    async def seen(
        self, account: AccountId, start: EventId, end: EventId, limit: int
    ) -> tuple[RoomEvent, ...]:
        """The first `limit` of them, in order."""

    async def trim(self, before: Instant, limit: int) -> int:
        """Cuts off the oldest events, as long as they are older than `before`; at most `limit`, and never the newest.

        Memberships which ended before the new beginning go along. Returns how many events were cut off. Two nodes may
        do it at once: the cut only moves forward (atomic).
        """
