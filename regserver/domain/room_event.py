"""The event log: one event for each change of a room, and its audience.

An event names neither its recipients nor their frames. Both follow from the event and the memberships: a newcomer joined
by this event; a member joined by an earlier one and has not left. Live delivery and recovery use the same function, so
they cannot disagree.
"""

from typing import Literal, NewType

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import PostId, RoomId

EventId = NewType("EventId", int)
"""Id of an event; later events have higher ids."""


class Position(msgspec.Struct, frozen=True):
    """A place in the log: right after the event with this id and time. START is before the first event."""

    id: EventId
    at: Instant


START = Position(EventId(0), Instant(0))


class Posted(msgspec.Struct, frozen=True, tag="posted"):
    """The actor wrote a post."""

    post: PostId
    content: str


class Edited(msgspec.Struct, frozen=True, tag="edit.changed"):
    """The actor gave their post another content."""

    post: PostId
    content: str


class Retracted(msgspec.Struct, frozen=True, tag="edit.removed"):
    """The actor deleted their post."""

    post: PostId


class Created(msgspec.Struct, frozen=True, tag="created"):
    """The actor made the room with these others in it."""

    others: tuple[AccountId, ...]


class Invited(msgspec.Struct, frozen=True, tag="invited"):
    """The actor made these people members."""

    newcomers: tuple[AccountId, ...]


class Offered(msgspec.Struct, frozen=True, tag="offered"):
    """The actor asked these people into the room; each becomes a member by accepting."""

    guests: tuple[AccountId, ...]


class OfferAccepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The actor, `newcomer`, became a member by accepting the offer of `host`."""

    host: AccountId
    newcomer: AccountId


class Left(msgspec.Struct, frozen=True, tag="left"):
    """The actor's membership ended. deleted: with the whole account."""

    deleted: bool


class Removed(msgspec.Struct, frozen=True, tag="removed"):
    """The actor, whose room it is, ended this member's membership."""

    member: AccountId


class Renamed(msgspec.Struct, frozen=True, tag="edit.renamed"):
    """The actor, whose room it is, gave it another name."""

    name: str


Change = Posted | Edited | Retracted | Created | Invited | Offered | OfferAccepted | Left | Removed | Renamed


class RoomEvent(msgspec.Struct, frozen=True):
    """One committed change of one room by one actor."""

    id: EventId
    room: RoomId
    actor: AccountId
    at: Instant
    change: Change

    @property
    def position(self) -> Position:
        """The place right after this event."""
        return Position(self.id, self.at)


Audience = Literal["newcomer", "member"]
"""The relation of a recipient to an event: asked or brought in by it, or a member from before it."""


def newcomers(change: Change) -> tuple[AccountId, ...]:
    """The people whom this change makes members; the creator of a room is not among them."""
    match change:
        case Created(others=others):
            return others
        case Invited(newcomers=invited):
            return invited
        case OfferAccepted(newcomer=newcomer):
            return (newcomer,)
        case Posted() | Edited() | Retracted() | Offered() | Left() | Removed() | Renamed():
            return ()


def arriving(event: RoomEvent) -> tuple[AccountId, ...]:
    """The accounts whose membership begins with this event: those whom it brings in, and the creator of a room."""
    brought = newcomers(event.change)
    return (*brought, event.actor) if isinstance(event.change, Created) else brought


def leaver(event: RoomEvent) -> AccountId | None:
    """The account whose membership ends with this event."""
    match event.change:
        case Left():
            return event.actor
        case Removed(member=member):
            return member
        case _:
            return None


def guests(change: Change) -> tuple[AccountId, ...]:
    """The people whom this change asks in without making them members."""
    return change.guests if isinstance(change, Offered) else ()


def is_edit(change: Change) -> bool:
    """Whether only sockets that ask for edits hear of it."""
    return isinstance(change, Edited | Retracted | Renamed)


def content_length(change: Change) -> int:
    """Characters of a post in the change."""
    return len(change.content) if isinstance(change, Posted | Edited) else 0


def audience(
    event: RoomEvent, account: AccountId, *, echo: bool = False, edits: bool = False
) -> Audience | None:
    """The audience that `account`, a member or guest, belongs to; None for those who are not notified, as the actor.

    echo: whether a socket wants what its own account does, as on another device. An offer changes no room: it has no echo.
    edits: whether it wants to hear that posts are edited and deleted, and rooms renamed.
    """
    if is_edit(event.change) and not edits:
        return None
    if account == event.actor:
        return "member" if echo and not isinstance(event.change, Offered) else None
    if isinstance(event.change, Offered):
        return "newcomer" if account in event.change.guests else None
    return "newcomer" if account in newcomers(event.change) else "member"
