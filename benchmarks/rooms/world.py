"""A database as a measurement needs it, written straight through the store: people with tokens, rooms, a log."""

import contextlib
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import trio

from benchmarks.process import scratch
from regserver.domain.account import AccountId, NewAccount
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, EventId, Posted
from regserver.domain.secret import hash_secret, new_token
from regserver.domain.session import SessionId
from regserver.ports.store import Store
from regserver.ports.token_table import NewSession
from regserver.ports.transaction import Transaction
from regserver.store.postgres import open_postgres
from regserver.store.sqlite import open_sqlite

PIECE = 5000  # rows per transaction


class World(msgspec.Struct, frozen=True):
    """path: of the database."""

    path: Path
    rooms: tuple[RoomId, ...]

    @property
    def tokens(self) -> Path:
        """A file with everybody's token, one a line."""
        return self.path.with_suffix(".tokens")


@contextlib.contextmanager
def world(*, people: int, rooms: int = 1, posts: int = 0) -> Iterator[World]:
    """It is gone at the end. rooms: with everybody in each. posts: so many in the log already, dealt out to the rooms,
    by the second person if there is one.
    """
    with scratch() as folder:
        path, now = folder / "rooms.db", Instant(time.time_ns() // 1_000_000)
        made = trio.run(_build, path, now, people, rooms, posts)
        made.tokens.write_text("".join(f"{token(number)}\n" for number in range(people)))
        yield made


@contextlib.contextmanager
def postgres_world(url: str, *, people: int, rooms: int = 1, posts: int = 0) -> Iterator[World]:
    """The same in a migrated database of PostgreSQL; its path has no database, and is where a key may lie."""
    with scratch() as folder:
        path, now = folder / "rooms.db", Instant(time.time_ns() // 1_000_000)
        made = trio.run(_build_postgres, url, path, now, people, rooms, posts)
        made.tokens.write_text("".join(f"{token(number)}\n" for number in range(people)))
        yield made


def token(number: int) -> str:
    return new_token("regs_", hashlib.sha256(str(number).encode()).digest())


async def _build(path: Path, now: Instant, people: int, rooms: int, posts: int) -> World:
    async with open_sqlite(path) as store:
        return World(path, await _fill(store, now, people, rooms, posts))


async def _build_postgres(url: str, path: Path, now: Instant, people: int, rooms: int, posts: int) -> World:
    async with open_postgres(url) as store:
        return World(path, await _fill(store, now, people, rooms, posts))


async def _fill(store: Store, now: Instant, people: int, rooms: int, posts: int) -> tuple[RoomId, ...]:
    ids = await _people(store, now, people)
    made = [await store.write(lambda transaction: _room(transaction, ids, now)) for _ in range(rooms)]
    author = ids[min(1, people - 1)]
    for first in range(0, posts, PIECE):
        count = min(PIECE, posts - first)
        await store.write(lambda t, first=first, count=count: _posts(t, made, author, now, first, count))  # type: ignore[misc]
    return tuple(made)


async def _people(store: Store, now: Instant, count: int) -> list[AccountId]:
    async def work(transaction: Transaction) -> list[AccountId]:
        ids = []
        for number in range(count):
            new = NewAccount(username=f"person{number}", origin="rooms", created_at=now)
            account = await transaction.accounts.add(new)
            assert account is not None
            session = NewSession(
                token=hash_secret(token(number)),
                account=account,
                id=SessionId(1),
                name=None,
                agent="",
                network="",
                created_at=now,
                expires_at=after(now, 10 * DAY),
            )
            await transaction.tokens.add(session)
            ids.append(account)
        return ids

    return await store.write(work)


async def _room(transaction: Transaction, ids: Sequence[AccountId], now: Instant) -> RoomId:
    room = await transaction.rooms.add(None, now)
    event = await transaction.events.append(room, ids[0], Created(tuple(ids[1:])), now)
    await transaction.rooms.join(event, ids)
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
