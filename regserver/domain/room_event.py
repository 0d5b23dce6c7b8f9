"""The event log: one event per change of a room, and who hears of it as what.

An event names neither its recipients nor their frames. Both follow from the event and the memberships: a member who
joined by this very event is a newcomer, one who joined by an earlier event and has not left before it was already in.
Live delivery and recovery use the same function, so they cannot disagree.
"""

from typing import Literal, NewType

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId

EventId = NewType("EventId", int)
"""Position in the log: later events have higher numbers."""


class Position(msgspec.Struct, frozen=True):
    """A place in the log: right after the event of this number and time. START lies before the first one."""

    id: EventId
    at: Instant


START = Position(EventId(0), Instant(0))


class Posted(msgspec.Struct, frozen=True, tag="posted"):
    post: PostId
    content: str


class Created(msgspec.Struct, frozen=True, tag="created"):
    """The creator made the room with these others in it."""

    others: tuple[AccountId, ...]


class Invited(msgspec.Struct, frozen=True, tag="invited"):
    newcomers: tuple[AccountId, ...]


class Left(msgspec.Struct, frozen=True, tag="left"):
    deleted: bool


Change = Posted | Created | Invited | Left


class RoomEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One committed change of one room by one actor."""

    id: EventId
    room: RoomId
    actor: AccountId
    at: Instant
    change: Change

    @property
    def position(self) -> Position:
        return Position(self.id, self.at)


Audience = Literal["newcomer", "member"]
"""What a recipient is to an event: somebody it brought into the room, or somebody who was in before it."""


def newcomers(change: Change) -> tuple[AccountId, ...]:
    """Those whom this change brings into the room, beside the creator of a new one."""
    match change:
        case Created(others=others):
            return others
        case Invited(newcomers=invited):
            return invited
        case Posted() | Left():
            return ()


def audience(event: RoomEvent, account: AccountId) -> Audience | None:
    """How `account` hears of `event`, given that it is a member by it or was one before it; None for the actor."""
    if account == event.actor:
        return None
    return "newcomer" if account in newcomers(event.change) else "member"
