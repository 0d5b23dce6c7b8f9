"""Rooms: every change writes its event in the same transaction; the broker hears of it after the commit."""

from __future__ import annotations  # the annotations of inner functions would be built anew at each call

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.idempotency import Idempotency, account_scope
from regserver.domain.instant import Instant
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    BadToken,
    IdempotencyConflict,
    NotInRoom,
    PostNotFound,
    RoomNotFound,
    TooManyUsers,
    UserIsDeleted,
)
from regserver.domain.room import (
    MAX_POSTS_LISTED,
    Post,
    PostId,
    PostPage,
    Room,
    RoomDetail,
    RoomId,
    RoomSummary,
    parse_id,
)
from regserver.domain.room_event import Created, Invited, Left, Posted
from regserver.domain.secret import SecretHash
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.answer_once import once
from regserver.service.identity_service import identify

T = TypeVar("T")
Unidentified = BadToken | UserIsDeleted
NoAccess = BadToken | UserIsDeleted | BadId | RoomNotFound | NotInRoom


class RoomActor(msgspec.Struct, frozen=True):
    """Somebody who may act in a room, and when."""

    account: Account
    room: Room
    now: Instant


class RoomService:
    """Rooms are named by the text of the path, which is looked at after the token, in the contract's order.

    max_members: a room may not grow past this. `retry` makes a repetition of the same request safe.
    """

    def __init__(self, store: Store, clock: Clock, *, max_members: int) -> None:
        self._store = store
        self._clock = clock
        self._max_members = max_members

    # --- changes
    async def create(
        self,
        token: SecretHash,
        name: str | None,
        others: Sequence[AccountId],
        retry: Idempotency | None = None,
    ) -> RoomId | Unidentified | AccountNotFound | TooManyUsers | IdempotencyConflict:
        """A new room with the asker and `others` in it."""

        async def work(
            transaction: Transaction,
        ) -> RoomId | Unidentified | AccountNotFound | TooManyUsers | IdempotencyConflict:
            now = self._clock.now()
            creator = await identify(transaction, token, now)
            if not isinstance(creator, Account):
                return creator

            async def act() -> RoomId | AccountNotFound | TooManyUsers:
                return await self._create(transaction, creator.id, name, others, now)

            return await once(transaction, account_scope(creator.id), retry, now, act)

        return await self._store.write(work)

    async def _create(
        self,
        transaction: Transaction,
        creator: AccountId,
        name: str | None,
        others: Sequence[AccountId],
        now: Instant,
    ) -> RoomId | AccountNotFound | TooManyUsers:
        if missing := await _missing(transaction, others):
            return missing
        guests = _distinct(others, {creator})
        if 1 + len(guests) > self._max_members:
            return TooManyUsers()
        room = await transaction.rooms.add(name, now)
        event = await transaction.events.append(room, creator, Created(guests), now)
        await transaction.rooms.join(room, (creator, *guests), event.id)
        return room

    async def invite(
        self, token: SecretHash, room_text: str, others: Sequence[AccountId], retry: Idempotency | None = None
    ) -> NoAccess | AccountNotFound | TooManyUsers | IdempotencyConflict | None:
        """Brings `others` in; those who are in already are passed over, and nobody new is no event."""

        async def act(transaction: Transaction, entry: RoomActor) -> AccountNotFound | TooManyUsers | None:
            if missing := await _missing(transaction, others):
                return missing
            room = entry.room.id
            newcomers = _distinct(others, await transaction.rooms.present(room, others))
            if not newcomers:
                return None
            if await transaction.rooms.count_members(room) + len(newcomers) > self._max_members:
                return TooManyUsers()
            event = await transaction.events.append(room, entry.account.id, Invited(newcomers), entry.now)
            await transaction.rooms.join(room, newcomers, event.id)
            await transaction.rooms.touch(room, entry.now)
            return None

        return await self._change(token, room_text, retry, act)

    async def leave(
        self, token: SecretHash, room_text: str, retry: Idempotency | None = None
    ) -> NoAccess | IdempotencyConflict | None:
        """Takes the asker out; the last one takes the room along."""

        async def act(transaction: Transaction, entry: RoomActor) -> None:
            await leave_room(transaction, entry.room.id, entry.account.id, Left(deleted=False), entry.now)

        return await self._change(token, room_text, retry, act)

    async def post(
        self, token: SecretHash, room_text: str, content: str, retry: Idempotency | None = None
    ) -> PostId | NoAccess | IdempotencyConflict:
        async def act(transaction: Transaction, entry: RoomActor) -> PostId:
            room, author, now = entry.room.id, entry.account.id, entry.now
            post = await transaction.posts.add(room, author, content, now)
            await transaction.events.append(room, author, Posted(post, content), now)
            return post

        return await self._change(token, room_text, retry, act)

    async def seen(
        self, token: SecretHash, room_text: str, post: PostId, retry: Idempotency | None = None
    ) -> NoAccess | PostNotFound | IdempotencyConflict | None:
        """Moves the asker's unread mark forward to `post`."""

        async def act(transaction: Transaction, entry: RoomActor) -> PostNotFound | None:
            found = await transaction.posts.by_id(post)
            if found is None or found.room != entry.room.id:
                return PostNotFound()
            await transaction.rooms.mark_seen(entry.room.id, entry.account.id, post)
            return None

        return await self._change(token, room_text, retry, act)

    async def _change(
        self,
        token: SecretHash,
        room_text: str,
        retry: Idempotency | None,
        act: Callable[[Transaction, RoomActor], Awaitable[T]],
    ) -> T | NoAccess | IdempotencyConflict:
        """Runs `act` for a member. A repetition is answered before the room is looked at: it may be gone by now."""

        async def work(transaction: Transaction) -> T | NoAccess | IdempotencyConflict:
            now = self._clock.now()
            account = await identify(transaction, token, now)
            if not isinstance(account, Account):
                return account

            async def enter() -> T | NoAccess:
                return await _inside(transaction, account, room_text, now, act)

            return await once(transaction, account_scope(account.id), retry, now, enter)

        return await self._store.write(work)

    # --- looking
    async def info(self, token: SecretHash, room_text: str) -> RoomDetail | NoAccess:
        async def act(transaction: Transaction, entry: RoomActor) -> RoomDetail:
            newest = await transaction.posts.page(entry.room.id, None, 1)
            return RoomDetail(
                room=entry.room,
                members=await transaction.rooms.members(entry.room.id),
                posts=await transaction.posts.newest_ids(entry.room.id, MAX_POSTS_LISTED),
                last_post=newest[0] if newest else None,
            )

        return await self._look(token, room_text, act)

    async def read_all(
        self, token: SecretHash, room_text: str, before: PostId | None, limit: int
    ) -> PostPage | NoAccess:
        """The newest `limit` posts older than `before`, oldest first."""

        async def act(transaction: Transaction, entry: RoomActor) -> PostPage:
            posts = await transaction.posts.page(entry.room.id, before, limit + 1)
            return PostPage(posts[-limit:], more=len(posts) > limit)

        return await self._look(token, room_text, act)

    async def _look(
        self, token: SecretHash, room_text: str, act: Callable[[Transaction, RoomActor], Awaitable[T]]
    ) -> T | NoAccess:
        async def work(transaction: Transaction) -> T | NoAccess:
            now = self._clock.now()
            account = await identify(transaction, token, now)
            if not isinstance(account, Account):
                return account
            return await _inside(transaction, account, room_text, now, act)

        return await self._store.read(work)

    async def list(self, token: SecretHash) -> tuple[RoomSummary, ...] | Unidentified:
        """The asker's rooms, in the order in which they were joined."""

        async def work(transaction: Transaction) -> tuple[RoomSummary, ...] | Unidentified:
            account = await identify(transaction, token, self._clock.now())
            if not isinstance(account, Account):
                return account
            return await transaction.rooms.summaries(account.id)

        return await self._store.read(work)

    async def read(
        self, token: SecretHash, post_text: str
    ) -> Post | Unidentified | BadId | PostNotFound | NotInRoom:
        async def work(transaction: Transaction) -> Post | Unidentified | BadId | PostNotFound | NotInRoom:
            account = await identify(transaction, token, self._clock.now())
            if not isinstance(account, Account):
                return account
            number = parse_id(post_text)
            if number is None:
                return BadId()
            post = await transaction.posts.by_id(PostId(number))
            if post is None:
                return PostNotFound()
            return post if await transaction.rooms.is_member(post.room, account.id) else NotInRoom()

        return await self._store.read(work)


async def leave_room(
    transaction: Transaction, room: RoomId, account: AccountId, left: Left, now: Instant
) -> None:
    """One member's end in one room. Within one transaction, so of several last ones exactly one finds it empty."""
    event = await transaction.events.append(room, account, left, now)
    await transaction.rooms.leave(room, account, event.id)
    if await transaction.rooms.is_empty(room):
        await transaction.rooms.remove(room)
    else:
        await transaction.rooms.touch(room, now)


async def _inside(
    transaction: Transaction,
    account: Account,
    room_text: str,
    now: Instant,
    act: Callable[[Transaction, RoomActor], Awaitable[T]],
) -> T | BadId | RoomNotFound | NotInRoom:
    """Runs `act` for somebody who is in the room; else says what bars the way, in the contract's order."""
    number = parse_id(room_text)
    if number is None:
        return BadId()
    door = await transaction.rooms.access(RoomId(number), account.id)
    if door is None:
        return RoomNotFound()
    if not door.is_member:
        return NotInRoom()
    return await act(transaction, RoomActor(account, door.room, now))


async def _missing(transaction: Transaction, others: Sequence[AccountId]) -> AccountNotFound | None:
    wanted = _distinct(others, set())
    living = await transaction.accounts.living(wanted)
    missing = tuple(account for account in wanted if account not in living)
    return AccountNotFound(missing) if missing else None


def _distinct(accounts: Sequence[AccountId], but: set[AccountId]) -> tuple[AccountId, ...]:
    """`accounts` without repetitions and without those in `but`, in the given order."""
    return tuple(account for account in dict.fromkeys(accounts) if account not in but)
