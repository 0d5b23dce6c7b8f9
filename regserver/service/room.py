"""Rooms: every change writes its event in the same transaction; the broker hears of it after the commit."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from regserver.domain.account import Account, AccountId
from regserver.domain.event import Created, EventId, Invited, Left, Posted
from regserver.domain.outcome import (
    AccountNotFound,
    BadId,
    BadToken,
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
from regserver.domain.secret import SecretHash
from regserver.ports.adapter import Clock
from regserver.ports.store import Store, Transaction
from regserver.service.identity import identify

T = TypeVar("T")
Unidentified = BadToken | UserIsDeleted
NoEntry = BadToken | UserIsDeleted | BadId | RoomNotFound | NotInRoom


class Entry(msgspec.Struct, frozen=True):
    """Somebody who may act in a room."""

    account: Account
    room: Room


class RoomsAsOf(msgspec.Struct, frozen=True):
    """The rooms an account was in at one point of the log."""

    rooms: tuple[RoomId, ...]
    as_of: EventId


class RoomService:
    """Rooms are named by the text of the path, which is looked at after the token, in the contract's order.

    max_members: a room may not grow past this.
    """

    def __init__(self, store: Store, clock: Clock, *, max_members: int) -> None:
        self._store = store
        self._clock = clock
        self._max_members = max_members

    async def create(
        self, token: SecretHash, name: str | None, others: Sequence[AccountId]
    ) -> RoomId | Unidentified | AccountNotFound | TooManyUsers:
        """A new room with the asker and `others` in it."""

        async def work(transaction: Transaction) -> RoomId | Unidentified | AccountNotFound | TooManyUsers:
            now = self._clock.now()
            creator = await identify(transaction, token, now)
            if not isinstance(creator, Account):
                return creator
            guests = _distinct(others, {creator.id})
            if refusal := await self._refuse(transaction, guests, 1):
                return refusal
            room = await transaction.rooms.add(name, now)
            event = await transaction.events.append(room, creator.id, Created(guests), now)
            await transaction.rooms.join(room, (creator.id, *guests), event.id)
            return room

        return await self._store.write(work)

    async def invite(
        self, token: SecretHash, room_text: str, others: Sequence[AccountId]
    ) -> NoEntry | AccountNotFound | TooManyUsers | None:
        """Brings `others` in; those who are in already are passed over, and nobody new is no event."""

        async def act(transaction: Transaction, entry: Entry) -> AccountNotFound | TooManyUsers | None:
            room, actor, now = entry.room.id, entry.account.id, self._clock.now()
            members = {member.account for member in await transaction.rooms.members(room)}
            if missing := await self._missing(transaction, others):
                return missing
            newcomers = _distinct(others, members)
            if not newcomers:
                return None
            if len(members) + len(newcomers) > self._max_members:
                return TooManyUsers()
            event = await transaction.events.append(room, actor, Invited(newcomers), now)
            await transaction.rooms.join(room, newcomers, event.id)
            await transaction.rooms.touch(room, now)
            return None

        return await self._store.write(lambda transaction: self._inside(transaction, token, room_text, act))

    async def leave(self, token: SecretHash, room_text: str) -> NoEntry | None:
        """Takes the asker out; the last one takes the room along."""

        async def act(transaction: Transaction, entry: Entry) -> None:
            room, now = entry.room.id, self._clock.now()
            event = await transaction.events.append(room, entry.account.id, Left(deleted=False), now)
            await transaction.rooms.leave(room, entry.account.id, event.id)
            if await transaction.rooms.count_members(room) == 0:
                await transaction.rooms.remove(room)
            else:
                await transaction.rooms.touch(room, now)

        return await self._store.write(lambda transaction: self._inside(transaction, token, room_text, act))

    async def post(self, token: SecretHash, room_text: str, content: str) -> PostId | NoEntry:
        async def act(transaction: Transaction, entry: Entry) -> PostId:
            room, author, now = entry.room.id, entry.account.id, self._clock.now()
            post = await transaction.posts.add(room, author, content, now)
            await transaction.events.append(room, author, Posted(post, content), now)
            return post

        return await self._store.write(lambda transaction: self._inside(transaction, token, room_text, act))

    async def seen(self, token: SecretHash, room_text: str, post: PostId) -> NoEntry | PostNotFound | None:
        """Moves the asker's unread mark forward to `post`."""

        async def act(transaction: Transaction, entry: Entry) -> PostNotFound | None:
            found = await transaction.posts.by_id(post)
            if found is None or found.room != entry.room.id:
                return PostNotFound()
            await transaction.rooms.mark_seen(entry.room.id, entry.account.id, post)
            return None

        return await self._store.write(lambda transaction: self._inside(transaction, token, room_text, act))

    async def info(self, token: SecretHash, room_text: str) -> RoomDetail | NoEntry:
        async def act(transaction: Transaction, entry: Entry) -> RoomDetail:
            return RoomDetail(
                room=entry.room,
                members=await transaction.rooms.members(entry.room.id),
                posts=await transaction.posts.newest_ids(entry.room.id, MAX_POSTS_LISTED),
                last_post=await _last_post(transaction, entry.room.id),
            )

        return await self._store.read(lambda transaction: self._inside(transaction, token, room_text, act))

    async def list(self, token: SecretHash) -> tuple[RoomSummary, ...] | Unidentified:
        """The asker's rooms, in the order in which they were joined."""

        async def work(transaction: Transaction) -> tuple[RoomSummary, ...] | Unidentified:
            account = await identify(transaction, token, self._clock.now())
            if not isinstance(account, Account):
                return account
            rooms = await transaction.rooms.of_account(account.id)
            return tuple(
                [summary for room in rooms if (summary := await _summary(transaction, room, account.id))]
            )

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

    async def read_all(
        self, token: SecretHash, room_text: str, before: PostId | None, limit: int
    ) -> PostPage | NoEntry:
        """The newest `limit` posts older than `before`, oldest first."""

        async def act(transaction: Transaction, entry: Entry) -> PostPage:
            posts = await transaction.posts.page(entry.room.id, before, limit + 1)
            return PostPage(posts[-limit:], more=len(posts) > limit)

        return await self._store.read(lambda transaction: self._inside(transaction, token, room_text, act))

    async def rooms_as_of(self, account: AccountId) -> RoomsAsOf:
        """Where a socket starts to listen: membership and position of the log from one snapshot."""

        async def work(transaction: Transaction) -> RoomsAsOf:
            as_of = await transaction.events.last_id()
            return RoomsAsOf(await transaction.rooms.of_account(account), as_of)

        return await self._store.read(work)

    async def _inside(
        self,
        transaction: Transaction,
        token: SecretHash,
        room_text: str,
        act: Callable[[Transaction, Entry], Awaitable[T]],
    ) -> T | NoEntry:
        """Runs `act` for somebody who is in the room; else says what bars the way, in the contract's order."""
        account = await identify(transaction, token, self._clock.now())
        if not isinstance(account, Account):
            return account
        number = parse_id(room_text)
        if number is None:
            return BadId()
        room = await transaction.rooms.by_id(RoomId(number))
        if room is None:
            return RoomNotFound()
        if not await transaction.rooms.is_member(room.id, account.id):
            return NotInRoom()
        return await act(transaction, Entry(account, room))

    async def _refuse(
        self, transaction: Transaction, guests: tuple[AccountId, ...], already: int
    ) -> AccountNotFound | TooManyUsers | None:
        if missing := await self._missing(transaction, guests):
            return missing
        return TooManyUsers() if already + len(guests) > self._max_members else None

    async def _missing(self, transaction: Transaction, others: Sequence[AccountId]) -> AccountNotFound | None:
        wanted = _distinct(others, set())
        living = await transaction.accounts.living(wanted)
        missing = tuple(account for account in wanted if account not in living)
        return AccountNotFound(missing) if missing else None


def _distinct(accounts: Sequence[AccountId], but: set[AccountId]) -> tuple[AccountId, ...]:
    """`accounts` without repetitions and without those in `but`, in the given order."""
    return tuple(account for account in dict.fromkeys(accounts) if account not in but)


async def _last_post(transaction: Transaction, room: RoomId) -> Post | None:
    page = await transaction.posts.page(room, None, 1)
    return page[0] if page else None


async def _summary(transaction: Transaction, room: RoomId, account: AccountId) -> RoomSummary | None:
    found = await transaction.rooms.by_id(room)
    if found is None:
        return None
    return RoomSummary(
        room=found,
        members=await transaction.rooms.members(room),
        last_post=await _last_post(transaction, room),
        unread=await transaction.rooms.unread(room, account),
    )
