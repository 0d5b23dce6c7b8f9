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
    """What is read here to be written is guarded by Lock.ROOM; an account's list of rooms by its Lock.ACCOUNT."""

    async def add(self, name: str | None, now: Instant) -> RoomId:
        """Writes a room without members."""

    async def access(self, room: RoomId, account: AccountId) -> RoomAccess | None:
        """The room, and whether the account is in it now; None when there is no such room."""

    async def touch(self, room: RoomId, now: Instant) -> None:
        """Notes when the room was last changed."""

    async def remove(self, room: RoomId) -> None:
        """Removes the room with its posts; ended memberships and events remain for those who missed them."""

    async def is_member(self, room: RoomId, account: AccountId) -> bool:
        """Whether the account is in now."""

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """Those of `accounts` who are in now."""

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        """Those who are in now, in the order in which they joined."""

    async def count_members(self, room: RoomId) -> int:
        """How many are in now."""

    async def is_alone(self, room: RoomId, account: AccountId) -> bool:
        """Whether nobody but the account is in now."""

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms the account is in now, in the order in which it joined them."""

    async def summaries(self, account: AccountId) -> tuple[RoomSummary, ...]:
        """The same rooms with what a list shows of them, in as many statements for a thousand as for one."""

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None:
        """Begins memberships with the event that brought the accounts in. Conflict when one is in already."""

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None:
        """Ends the account's membership with the event that took it out."""

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        """Moves the mark of what the account has seen forward, never back (atomic)."""
