"""Rooms and the memberships of accounts in them."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import Member, PostId, Room, RoomId, RoomSummary
from regserver.domain.room_event import EventId


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

    async def touch(self, room: RoomId, now: Instant) -> None:
        """Sets the time of the room's last change."""

    async def remove(self, room: RoomId) -> None:
        """Removes the room with its posts; ended memberships and events remain for recovery."""

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """The current members among these accounts."""

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        """The current members, in the order of joining."""

    async def count_members(self, room: RoomId) -> int:
        """The number of current members."""

    async def is_alone(self, room: RoomId, account: AccountId) -> bool:
        """Whether nobody but the account is a member now."""

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms that the account is in now, in the order of joining."""

    async def summaries(self, account: AccountId) -> tuple[RoomSummary, ...]:
        """The same rooms as a list shows them, with a constant number of statements."""

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None:
        """Begins memberships with this event. Conflict when one of the accounts is a member already."""

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        """Ends the account's membership with this event."""

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        """Moves the account's unread mark forward to `post`, never back (atomic)."""
