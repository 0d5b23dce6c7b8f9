"""Rooms and the memberships of accounts in them."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Member, PostId, Room, RoomId, RoomPage
from regserver.domain.room_event import EventId, RoomEvent


class RoomAccess(msgspec.Struct, frozen=True):
    """A room, and whether an account is in it now."""

    room: Room
    is_member: bool


class RoomTable(Protocol):
    """Lock.ROOM guards a room and its members; Lock.ACCOUNT the list of an account's rooms."""

    async def add(self, name: str | None, now: Instant) -> RoomId:
        """Writes a room without members."""

    async def access(self, room: RoomId, account: AccountId) -> RoomAccess | None:
        """The room, and whether the account is in it now; None when there is no such room."""

    async def all(self, after: RoomId, limit: int) -> tuple[Room, ...]:
        """Rooms behind a number, by number."""

    async def give(self, room: RoomId, account: AccountId) -> None:
        """Makes it the account's. When its owner leaves it becomes that of the member who joined first."""

    async def owner(self, room: RoomId) -> AccountId | None:
        """Whose room it is."""

    async def rename(self, room: RoomId, name: str) -> None:
        """Gives the room another name."""

    async def members_after(self, room: RoomId, after: AccountId, limit: int) -> tuple[Member, ...]:
        """The current members with higher numbers than `after`, by number."""

    async def known_names(self, account: AccountId, start: str, limit: int) -> tuple[Member, ...]:
        """Those who share a room with the account now and whose names begin so, by name. start: in small letters."""

    async def all_names(self, account: AccountId, start: str, limit: int) -> tuple[Member, ...]:
        """All others whose names begin so, by name. start: in small letters."""

    async def touch(self, room: RoomId, now: Instant) -> None:
        """Sets the time of the room's last change."""

    async def remove(self, room: RoomId) -> None:
        """Removes the room with its posts; ended memberships and events remain for recovery."""

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The current members among these accounts."""

    async def members(self, room: RoomId, limit: int | None = None) -> tuple[Member, ...]:
        """The current members, in the order of joining; limit: only the first of them."""

    async def fellows(self, account: AccountId, others: Sequence[AccountId]) -> set[AccountId]:
        """The accounts among `others` that share a room with the account of their own will.

        A room where a stranger put them counts only when they have read in it.
        """

    async def crowded(self, accounts: Sequence[AccountId], since: Instant, most: int) -> set[AccountId]:
        """The accounts among these that strangers have brought or asked into `most` rooms since then."""

    async def is_alone(self, room: RoomId, account: AccountId) -> bool:
        """Whether nobody but the account is a member now."""

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms that the account is in now, in the order of joining."""

    async def page(self, account: AccountId, before: RoomId | None, limit: int) -> RoomPage:
        """The rooms that the account has joined last, before `before`, as a list shows them; a page ends at MAX_LISTED_BYTES."""

    async def join(
        self, event: RoomEvent, accounts: Sequence[AccountId], strangers: Collection[AccountId] = ()
    ) -> None:
        """Begins memberships in the event's room. Conflict when one of the accounts is a member already.

        strangers: those among them who share no room with the event's actor.
        """

    async def ask_in(
        self, event: RoomEvent, accounts: Sequence[AccountId], strangers: Collection[AccountId]
    ) -> None:
        """Lets the accounts hear this one event of its room, which asks them in."""

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        """Ends the account's membership with this event."""

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> bool:
        """Moves the account's unread mark forward to `post`, never back (atomic); whether it moved."""
