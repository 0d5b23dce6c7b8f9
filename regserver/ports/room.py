"""What rooms need of the store: rooms with their stays, posts, the event log, and answers kept for retries."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId
from regserver.domain.idempotency import Idempotency, StoredAnswer
from regserver.domain.instant import Instant
from regserver.domain.room import Member, Post, PostId, Room, RoomId, RoomSummary
from regserver.domain.room_event import Change, EventId, Position, RoomEvent


class Door(msgspec.Struct, frozen=True):
    """A room as somebody stands before it."""

    room: Room
    is_member: bool


class RoomTable(Protocol):
    async def add(self, name: str | None, now: Instant) -> RoomId: ...

    async def door(self, room: RoomId, account: AccountId) -> Door | None:
        """The room, and whether the account is in it now; None when there is no such room."""

    async def touch(self, room: RoomId, now: Instant) -> None: ...

    async def remove(self, room: RoomId) -> None:
        """Removes the room with its posts; ended stays and events remain for those who missed them."""

    async def is_member(self, room: RoomId, account: AccountId) -> bool: ...

    async def present(self, room: RoomId, accounts: Sequence[AccountId]) -> set[AccountId]:
        """Those of `accounts` who are in now."""

    async def members(self, room: RoomId) -> tuple[Member, ...]:
        """Those who are in now, in the order in which they joined."""

    async def count_members(self, room: RoomId) -> int: ...

    async def is_empty(self, room: RoomId) -> bool: ...

    async def of_account(self, account: AccountId) -> tuple[RoomId, ...]:
        """The rooms the account is in now, in the order in which it joined them."""

    async def summaries(self, account: AccountId) -> tuple[RoomSummary, ...]:
        """The same rooms with what a list shows of them, in as many statements for a thousand as for one."""

    async def join(self, room: RoomId, accounts: Sequence[AccountId], event: EventId) -> None: ...

    async def leave(self, room: RoomId, account: AccountId, event: EventId) -> None: ...

    async def mark_seen(self, room: RoomId, account: AccountId, post: PostId) -> None:
        """Moves the mark forward, never back."""


class PostTable(Protocol):
    async def add(self, room: RoomId, author: AccountId, content: str, now: Instant) -> PostId: ...

    async def by_id(self, post: PostId) -> Post | None: ...

    async def newest_ids(self, room: RoomId, limit: int) -> tuple[PostId, ...]:
        """The newest `limit` ids, oldest first."""

    async def page(self, room: RoomId, before: PostId | None, limit: int) -> tuple[Post, ...]:
        """The newest `limit` posts older than `before`, oldest first."""


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


class RetryTable(Protocol):
    async def find(self, scope: str, key: str, now: Instant) -> StoredAnswer | None: ...

    async def keep(self, scope: str, retry: Idempotency, answer: int | None, now: Instant) -> None:
        """Keeps the answer for RETRY_KEPT."""

    async def purge(self, now: Instant) -> int: ...
