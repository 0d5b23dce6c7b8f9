"""The use cases of rooms.

    token → the account → the room named in the path → is the account a member? → the use case
            IdentityService                 _in_room                              act

All of this is one transaction. A change appends its event to it; the broker gets the event after the commit.
"""

from __future__ import annotations  # otherwise each call evaluates the annotations of inner functions

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.idempotency import Idempotency
from regserver.domain.instant import Instant
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    IdempotencyConflict,
    NotInRoom,
    PostNotFound,
    RoomNotFound,
    TooManyUsers,
    UserIsDeleted,
)
from regserver.domain.room import (
    MAX_LISTED_BYTES,
    MAX_POSTS_LISTED,
    Post,
    PostId,
    PostPage,
    Room,
    RoomDetail,
    RoomId,
    RoomSummary,
    listed_bytes,
    parse_id,
)
from regserver.domain.room_event import Created, Invited, Left, Posted
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import Act, IdentityService, Unidentified

T = TypeVar("T")
NotInside = BadId | RoomNotFound | NotInRoom
NoAccess = Unidentified | NotInside


class RoomActor(msgspec.Struct, frozen=True):
    """A member who acts in a room. now: the time of the whole change."""

    account: AccountId
    room: Room
    now: Instant


class RoomService:
    """max_members: of one room.

    room_text: the room's id as in the path, parsed after the token is checked, in the protocol's order of errors.
    """

    def __init__(self, identity: IdentityService, *, max_members: int) -> None:
        self._identity = identity
        self._max_members = max_members

    # --- changes
    async def create(
        self,
        token: SecretHash,
        name: str | None,
        others: Sequence[AccountId],
        idempotency: Idempotency | None = None,
    ) -> RoomId | Unidentified | AccountNotFound | TooManyUsers | IdempotencyConflict:
        """Creates a room with the account and `others` as members. name: None displays its members' names."""

        async def act(
            transaction: Transaction, creator: Account, now: Instant
        ) -> RoomId | UserIsDeleted | AccountNotFound | TooManyUsers:
            guests = _distinct(others, {creator.id})
            await transaction.lock(Lock.ACCOUNT, creator.id, *guests)
            if refusal := await _missing(transaction, (creator.id, *guests)):
                return UserIsDeleted() if creator.id in refusal.missing else refusal
            if 1 + len(guests) > self._max_members:
                return TooManyUsers()
            room = await transaction.rooms.add(name, now)
            event = await transaction.events.append(room, creator.id, Created(guests), now)
            await transaction.rooms.join(room, (creator.id, *guests), event.id)
            return room

        return await self._identity.write_once(token, idempotency, act)

    async def invite(
        self,
        token: SecretHash,
        room_text: str,
        others: Sequence[AccountId],
        idempotency: Idempotency | None = None,
    ) -> NoAccess | AccountNotFound | TooManyUsers | IdempotencyConflict | None:
        """Makes `others` members. Present members are skipped; without a new one nothing happens."""

        async def act(transaction: Transaction, actor: RoomActor) -> AccountNotFound | TooManyUsers | None:
            if missing := await _missing(transaction, others):
                return missing
            room = actor.room.id
            newcomers = _distinct(others, await transaction.rooms.present(room, others))
            if not newcomers:
                return None
            if await transaction.rooms.count_members(room) + len(newcomers) > self._max_members:
                return TooManyUsers()
            event = await transaction.events.append(room, actor.account, Invited(newcomers), actor.now)
            await transaction.rooms.join(room, newcomers, event.id)
            await transaction.rooms.touch(room, actor.now)
            return None

        return await self._identity.write_once(
            token, idempotency, self._in_room(room_text, act, locked=True, others=others)
        )

    async def leave(
        self, token: SecretHash, room_text: str, idempotency: Idempotency | None = None
    ) -> NoAccess | IdempotencyConflict | None:
        """Ends the account's membership; the room is deleted with its last member."""

        async def act(transaction: Transaction, actor: RoomActor) -> None:
            await leave_room(transaction, actor.room.id, actor.account, Left(deleted=False), actor.now)

        return await self._identity.write_once(token, idempotency, self._in_room(room_text, act, locked=True))

    async def post(
        self, token: SecretHash, room_text: str, content: str, idempotency: Idempotency | None = None
    ) -> PostId | NoAccess | IdempotencyConflict:
        """Writes a post and its event."""

        async def act(transaction: Transaction, actor: RoomActor) -> PostId:
            post = await transaction.posts.add(actor.room.id, actor.account, content, actor.now)
            transaction.events.append_last(actor.room.id, actor.account, Posted(post, content), actor.now)
            return post

        return await self._identity.write_once(token, idempotency, self._in_room(room_text, act, locked=True))

    async def seen(
        self, token: SecretHash, room_text: str, post: PostId, idempotency: Idempotency | None = None
    ) -> NoAccess | PostNotFound | IdempotencyConflict | None:
        """Moves the account's unread mark forward to `post`."""

        async def act(transaction: Transaction, actor: RoomActor) -> PostNotFound | None:
            found = await transaction.posts.by_id(post)
            if found is None or found.room != actor.room.id:
                return PostNotFound()
            await transaction.rooms.mark_seen(actor.room.id, actor.account, post)
            return None

        return await self._identity.write_once(token, idempotency, self._in_room(room_text, act))

    # --- reading
    async def info(self, token: SecretHash, room_text: str) -> RoomDetail | NoAccess:
        """The room with its members, its last post and the ids of its newest MAX_POSTS_LISTED posts."""

        async def act(transaction: Transaction, actor: RoomActor) -> RoomDetail:
            newest = await transaction.posts.page(actor.room.id, None, 1)
            return RoomDetail(
                room=actor.room,
                members=await transaction.rooms.members(actor.room.id),
                posts=await transaction.posts.newest_ids(actor.room.id, MAX_POSTS_LISTED),
                last_post=newest[0] if newest else None,
            )

        return await self._identity.read(token, self._in_room(room_text, act))

    async def read_all(
        self, token: SecretHash, room_text: str, before: PostId | None, limit: int
    ) -> PostPage | NoAccess:
        """The newest `limit` posts before `before`, oldest first, or as many as fit into MAX_LISTED_BYTES.

        before: None means the newest of all.
        """

        async def act(transaction: Transaction, actor: RoomActor) -> PostPage:
            return await _page(transaction, actor.room.id, before, limit)

        return await self._identity.read(token, self._in_room(room_text, act))

    async def list(self, token: SecretHash) -> tuple[RoomSummary, ...] | Unidentified:
        """The account's rooms, in the order of joining."""

        async def act(transaction: Transaction, account: Account, _now: Instant) -> tuple[RoomSummary, ...]:
            return await transaction.rooms.summaries(account.id)

        return await self._identity.read(token, act)

    async def read(
        self, token: SecretHash, post_text: str
    ) -> Post | Unidentified | BadId | PostNotFound | NotInRoom:
        """One post of a room that the account is in. post_text: its id, as in the path."""

        async def act(
            transaction: Transaction, account: Account, _now: Instant
        ) -> Post | BadId | PostNotFound | NotInRoom:
            number = parse_id(post_text)
            if number is None:
                return BadId()
            post = await transaction.posts.by_id(PostId(number))
            if post is None:
                return PostNotFound()
            return post if await transaction.rooms.present(post.room, [account.id]) else NotInRoom()

        return await self._identity.read(token, act)

    def _in_room(
        self,
        room_text: str,
        act: Callable[[Transaction, RoomActor], Awaitable[T]],
        *,
        locked: bool = False,
        others: Sequence[AccountId] = (),
    ) -> Act[T | NotInside]:
        """A use case that runs `act` for members of the room, and otherwise returns the refusal, in the protocol's order.

        locked: takes the room's lock. others: accounts whose locks are taken, so that they are not deleted meanwhile.
        """

        async def enter(transaction: Transaction, account: Account, now: Instant) -> T | NotInside:
            number = parse_id(room_text)
            if number is None:
                return BadId()
            if others:
                await transaction.lock(Lock.ACCOUNT, *others)
            if locked:
                await transaction.lock(Lock.ROOM, number)
            access = await transaction.rooms.access(RoomId(number), account.id)
            if access is None:
                return RoomNotFound()
            if not access.is_member:
                return NotInRoom()
            return await act(transaction, RoomActor(account.id, access.room, now))

        return enter


FIRST_PIECE = 64
"""Posts of the first statement for a page: a MiB of the longest; each further one reads twice as many."""


async def _page(transaction: Transaction, room: RoomId, before: PostId | None, limit: int) -> PostPage:
    """A page of at most `limit` posts and MAX_LISTED_BYTES, read in pieces so that no more than that is in memory."""
    newest_first: list[Post] = []
    size, piece = 0, FIRST_PIECE
    while True:
        wanted = min(piece, limit + 1 - len(newest_first))
        found = await transaction.posts.page(room, before, wanted)
        for post in reversed(found):
            size += listed_bytes(post)
            if len(newest_first) == limit or (newest_first and size > MAX_LISTED_BYTES):
                return PostPage(tuple(reversed(newest_first)), more=True)
            newest_first.append(post)
        if len(found) < wanted:
            return PostPage(tuple(reversed(newest_first)), more=False)
        before, piece = found[0].id, 2 * piece


async def leave_room(
    transaction: Transaction, room: RoomId, account: AccountId, left: Left, now: Instant
) -> None:
    """Ends one membership, and deletes the room with its last member. The caller's unit holds the room's lock."""
    # Without the lock, two last members who leave at once each see the other, and an empty room remains.
    if await transaction.rooms.is_alone(room, account):
        await transaction.rooms.remove(room)
    else:
        await transaction.rooms.touch(room, now)
    event = await transaction.events.append(room, account, left, now)
    await transaction.rooms.leave(room, account, event.id)


async def _missing(transaction: Transaction, others: Sequence[AccountId]) -> AccountNotFound | None:
    """The refusal if some of `others` are unknown or deleted."""
    wanted = _distinct(others, set())
    living = await transaction.accounts.living(wanted)
    missing = tuple(account for account in wanted if account not in living)
    return AccountNotFound(missing) if missing else None


def _distinct(accounts: Sequence[AccountId], but: set[AccountId]) -> tuple[AccountId, ...]:
    """`accounts` without repetitions and without those in `but`, in the given order."""
    return tuple(account for account in dict.fromkeys(accounts) if account not in but)
