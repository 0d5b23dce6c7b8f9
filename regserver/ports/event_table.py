"""The event log of all rooms.

Recovery and the broker rely on one rule: a snapshot that contains an event contains all events with smaller ids. So ids
must become visible in order, and every unit that appends holds Lock.LOG from the append to its commit.
"""

from typing import Protocol

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import Change, EventId, Position, RoomEvent


class EventTable(Protocol):
    """A part of the log is given by two positions: it begins after the first and ends with the second.

    An account sees the events of its memberships, from the one that began a membership to the one that ended it, except
    offers to others, those of posts that there are no longer and, without echo, those that it caused itself; without edits,
    those that posts were edited or deleted. A post has the content that it was written with.
    """

    async def append(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> RoomEvent:
        """Takes Lock.LOG and writes the event, for a change that needs its id. The unit should end soon afterwards.

        After the commit the store's listener gets the event, in order.
        """

    def append_last(self, room: RoomId, actor: AccountId, change: Change, now: Instant) -> None:
        """The same, as the unit's last statement, which a networked store sends together with the commit."""

    async def after(self, position: EventId, limit: int) -> list[tuple[Position, RoomEvent | None]]:
        """All events after an id, of every room, in their order; None for one whose post there is no longer."""

    async def end(self) -> Position:
        """The newest position, START before the first event. It never goes back."""

    async def cut(self) -> Position:
        """The position of the last event that was removed; START when none was."""

    async def reaches(self, position: Position) -> bool:
        """Whether this position was in the log, and all events after it still are."""

    async def continues(self, known: Position, read: EventId) -> bool:
        """Whether a reader that has come to the id `read` misses nothing if it goes on there. known: an event up to there.

        False when later events were removed, or when the log has gone back behind `known`: after a restore, or a fail-over
        that lost commits, another event has its id, or none.
        """

    async def count_seen(
        self, account: AccountId, start: EventId, end: EventId, *, echo: bool, edits: bool = False
    ) -> int:
        """How many events of this part the account sees."""

    async def seen(
        self, account: AccountId, start: EventId, end: EventId, limit: int, *, echo: bool, edits: bool = False
    ) -> tuple[RoomEvent, ...]:
        """The first `limit` events of this part that the account sees, in order."""

    async def trim(self, before: Instant, limit: int) -> int:
        """Removes events older than `before`, at most `limit`, and never the newest; returns how many.

        Memberships that ended before the new beginning are removed too. Two nodes may trim at once: the cut only moves
        forward (atomic).
        """
