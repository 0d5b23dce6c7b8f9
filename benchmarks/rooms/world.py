"""A database as a measurement needs it, written straight through the store: people with tokens, rooms, a log."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import trio

from regserver.domain.account import AccountId, NewAccount
from regserver.domain.event import Created, EventId, Posted
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.room import RoomId
from regserver.domain.secret import hash_secret, new_token
from regserver.ports.store import Transaction
from regserver.store.sqlite import SqliteStore, open_sqlite

PIECE = 5000  # rows per transaction


class Somebody(msgspec.Struct, frozen=True):
    id: AccountId
    token: str


class World(msgspec.Struct, frozen=True):
    """people[0] is in all rooms, alone or with everybody else."""

    people: tuple[Somebody, ...]
    rooms: tuple[RoomId, ...]


def token_of(number: int) -> str:
    return new_token(hashlib.sha256(str(number).encode()).digest())


def build(
    path: Path, now: int, *, people: int, rooms: int = 1, members: int | None = None, posts: int = 0
) -> World:
    """members: so many of the people are in each room (None: all). posts: so many in the log already, dealt out to the
    rooms, by the second person if there is one."""
    return trio.run(_build, path, Instant(now), people, rooms, members or people, posts)


async def _build(path: Path, now: Instant, people: int, rooms: int, members: int, posts: int) -> World:
    async with open_sqlite(path) as store:
        folk = await _people(store, now, people)
        ids = [person.id for person in folk[:members]]
        made = [await store.write(lambda transaction: _room(transaction, ids, now)) for _ in range(rooms)]
        author = folk[min(1, people - 1)].id
        for first in range(0, posts, PIECE):
            count = min(PIECE, posts - first)
            await store.write(lambda t, first=first, count=count: _posts(t, made, author, now, first, count))  # type: ignore[misc]
        return World(tuple(folk), tuple(made))


async def _people(store: SqliteStore, now: Instant, count: int) -> list[Somebody]:
    async def work(transaction: Transaction) -> list[Somebody]:
        folk = []
        for number in range(count):
            new = NewAccount(username=f"person{number}", door="rooms", created_at=now)
            account = await transaction.accounts.add(new)
            assert account is not None
            await transaction.tokens.add(hash_secret(token_of(number)), account, now, after(now, 10 * DAY))
            folk.append(Somebody(account, token_of(number)))
        return folk

    return await store.write(work)


async def _room(transaction: Transaction, ids: Sequence[AccountId], now: Instant) -> RoomId:
    room = await transaction.rooms.add(None, now)
    event = await transaction.events.append(room, ids[0], Created(tuple(ids[1:])), now)
    await transaction.rooms.join(room, ids, event.id)
    return room


async def _posts(
    transaction: Transaction, rooms: Sequence[RoomId], author: AccountId, now: Instant, first: int, count: int
) -> EventId:
    event = EventId(0)
    for number in range(first, first + count):
        room, content = rooms[number % len(rooms)], f"{number:0100d}"
        post = await transaction.posts.add(room, author, content, now)
        event = (await transaction.events.append(room, author, Posted(post, content), now)).id
    return event
