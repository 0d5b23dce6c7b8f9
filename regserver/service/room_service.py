"""The use cases of rooms.

    token → the account → the room named in the path → is the account a member? → the use case
            IdentityService                 in_room                              act

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
    BadId,
    IdempotencyConflict,
    NotInRoom,
    PostNotFound,
    QuotaExceeded,
    Refusal,
    RoomNotFound,
)
from regserver.domain.room import (
    MAX_LISTED_BYTES,
    MAX_POSTS_LISTED,
    MAX_ROOMS_LISTED,
    MEMBERS_SHOWN,
    Post,
    PostId,
    PostPage,
    Room,
    RoomDetail,
    RoomId,
    RoomPage,
    listed_bytes,
    parse_id,
)
from regserver.domain.room_event import Left, Posted
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Lock, Transaction
from regserver.service.identity_service import Act
from regserver.service.quota import Quota, post_cost
from regserver.service.room_admission import RoomAdmission, Unadmitted

T = TypeVar("T")
NotInside = BadId | RoomNotFound | NotInRoom
NoAccess = Unadmitted | NotInside


FIRST_PIECE = 64
"""Posts of the first statement for a page: a MiB of the longest; each further one reads twice as many."""


FEW_LISTED = 10
"""As many rooms or posts are read by the shorter way of look-ups."""


class RoomActor(msgspec.Struct, frozen=True):
    """A member who acts in a room. now: the time of the whole change."""

    account: AccountId
    room: Room
    now: Instant


class RoomService:
    """quota: what an account may post in a day.

    room_text: the room's id as in the path, parsed after the token is checked, in the protocol's order of errors.
    """

    def __init__(self, admission: RoomAdmission, quota: Quota) -> None:
        self._admission = admission
        self._quota = quota

    # --- changes
    async def leave(
        self, token: SecretHash, room_text: str, idempotency: Idempotency | None = None
    ) -> NoAccess | IdempotencyConflict | None:
        """Ends the account's membership; the room is deleted with its last member."""

        async def act(transaction: Transaction, actor: RoomActor) -> None:
            await leave_room(transaction, actor.room.id, actor.account, Left(deleted=False), actor.now)

        return await self._admission.write_once(token, idempotency, in_room(room_text, act, locked=True))

    # Without a coroutine of its own, as in IdentityService.
    def post(
        self, token: SecretHash, room_text: str, content: str, idempotency: Idempotency | None = None
    ) -> Awaitable[PostId | NoAccess | QuotaExceeded | IdempotencyConflict]:
        """Writes a post and its event."""

        async def act(transaction: Transaction, actor: RoomActor) -> PostId | QuotaExceeded:
            cost = post_cost(content, is_keyed=idempotency is not None)
            if refusal := await self._quota.spend(transaction, actor.account, cost, actor.now):
                return refusal
            post = await transaction.posts.add(actor.room.id, actor.account, content, actor.now)
            transaction.events.append_last(actor.room.id, actor.account, Posted(post, content), actor.now)
            return post

        return self._admission.write_once(token, idempotency, in_room(room_text, act, locked=True))

    # --- reading
    async def info(self, token: SecretHash, room_text: str) -> RoomDetail | NoAccess:
        """The room with its members, its last post and the ids of its newest MAX_POSTS_LISTED posts."""

        async def act(transaction: Transaction, actor: RoomActor) -> RoomDetail:
            newest = await transaction.posts.page(actor.room.id, None, 1)
            return RoomDetail(
                room=actor.room,
                members=await transaction.rooms.members(
                    actor.room.id, MEMBERS_SHOWN if actor.room.is_large else None
                ),
                posts=await transaction.posts.newest_ids(actor.room.id, MAX_POSTS_LISTED),
                last_post=newest[0] if newest else None,
            )

        return await self._admission.read(token, in_room(room_text, act))

    async def read_all(
        self,
        token: SecretHash,
        room_text: str,
        before: PostId | None,
        limit: int,
        after: PostId | None = None,
    ) -> PostPage | NoAccess:
        """The newest `limit` posts before `before`, oldest first, or as many as fit into MAX_LISTED_BYTES.

        before: None means the newest of all. after: if given, the oldest `limit` posts after it are read instead.
        """

        async def act(transaction: Transaction, actor: RoomActor) -> PostPage:
            return await _page(transaction, actor.room.id, before, after, limit)

        read = self._admission.look_up if limit <= FEW_LISTED else self._admission.read
        return await read(token, in_room(room_text, act))

    async def list(
        self, token: SecretHash, before: RoomId | None = None, limit: int = MAX_ROOMS_LISTED
    ) -> RoomPage | Unadmitted:
        """The `limit` rooms that the account has joined last before `before`. before: None means the last of all."""

        few = await self._admission.look_up(token, _rooms_page(before, min(limit, FEW_LISTED)))
        if isinstance(few, Refusal) or limit <= FEW_LISTED or not few.more:
            return few
        return await self._admission.read(token, _rooms_page(before, limit))

    async def read(
        self, token: SecretHash, post_text: str
    ) -> Post | Unadmitted | BadId | PostNotFound | NotInRoom:
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

        return await self._admission.look_up(token, act)


def _rooms_page(before: RoomId | None, limit: int) -> Act[RoomPage]:
    async def act(transaction: Transaction, account: Account, _now: Instant) -> RoomPage:
        return await transaction.rooms.page(account.id, before, limit)

    return act


def in_room(
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


async def _page(
    transaction: Transaction, room: RoomId, before: PostId | None, after: PostId | None, limit: int
) -> PostPage:
    """A page of at most `limit` posts and MAX_LISTED_BYTES, read in pieces so that no more than that is in memory."""
    posts: list[Post] = []  # in the order of reading: forwards from `after`, else backwards
    size, piece, forwards = 0, FIRST_PIECE, after is not None
    while True:
        wanted = min(piece, limit + 1 - len(posts))
        if after is None:
            found = (await transaction.posts.page(room, before, wanted))[::-1]
        else:
            found = await transaction.posts.following(room, after, wanted)
        for post in found:
            size += listed_bytes(post)
            if len(posts) == limit or (posts and size > MAX_LISTED_BYTES):
                return PostPage(tuple(posts if forwards else reversed(posts)), more=True)
            posts.append(post)
        if len(found) < wanted:
            return PostPage(tuple(posts if forwards else reversed(posts)), more=False)
        before, after = found[-1].id, found[-1].id if forwards else None
        piece *= 2


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
