"""What the embedded store's writer keeps of what it has read: used again, and never after it has changed."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from regserver.domain.account import Account, AccountId, NewAccount
from regserver.domain.instant import DAY, Instant, after
from regserver.domain.room import RoomId
from regserver.domain.room_event import Created, Left
from regserver.domain.secret import SecretHash
from regserver.domain.session import SessionId
from regserver.ports.token_table import NewSession
from regserver.ports.transaction import Transaction
from regserver.store.sql.room_rows import ACCESS
from regserver.store.sql.token_rows import ACCOUNT_OF_TOKEN
from regserver.store.sqlite import SqliteStore, open_sqlite
from regserver.store.sqlite.kept_rows import MOST_KEPT, KeptRows

NOW = Instant(1_600_000_000_000)
TOKEN = SecretHash(bytes(32))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """With one person, whose token is TOKEN, alone in one room."""

    async def fill(transaction: Transaction) -> None:
        ann = await transaction.accounts.add(NewAccount(username="ann", origin="rooms", created_at=NOW))
        session = NewSession(
            token=TOKEN,
            account=ann,
            id=SessionId(1),
            name=None,
            agent="",
            network="",
            created_at=NOW,
            expires_at=after(NOW, DAY),
        )
        await transaction.tokens.add(session)
        room = await transaction.rooms.add("tea", NOW)
        event = await transaction.events.append(room, ann, Created(()), NOW)
        await transaction.rooms.join(event, [ann])

    async with open_sqlite(tmp_path / "x.db") as opened:
        await opened.write(fill)
        await asked(opened)
        yield opened


async def asked(store: SqliteStore, now: Instant = NOW) -> tuple[str | None, str | None, bool | None]:
    """What the writer sees: the name of the token's account, that of the room, and whether the one is in the other."""

    async def work(transaction: Transaction) -> tuple[Account | None, str | None, bool | None]:
        account = await transaction.tokens.account(TOKEN, now)
        access = await transaction.rooms.access(RoomId(1), AccountId(1))
        if access is None:
            return account, None, None
        return account, access.room.name, access.is_member

    account, room, inside = await store.write(work)
    return (None if account is None else account.username), room, inside


@contextlib.contextmanager
def traced(store: SqliteStore) -> Iterator[list[str]]:
    """The statements that the writer runs meanwhile."""
    statements: list[str] = []
    connection = store._kept._connection
    connection.set_trace_callback(statements.append)
    yield statements
    connection.set_trace_callback(None)


async def test_what_was_found_is_not_asked_for_again(store: SqliteStore) -> None:
    with traced(store) as statements:
        assert await asked(store) == ("ann", "tea", True)
    assert not [one for one in statements if one.startswith("SELECT")]


async def sign_out(transaction: Transaction) -> None:
    removed = await transaction.tokens.remove(AccountId(1), TOKEN, own=True, others=False, named=False)
    assert removed == (TOKEN,)


async def leave(transaction: Transaction) -> None:
    event = await transaction.events.append(RoomId(1), AccountId(1), Left(deleted=False), NOW)
    await transaction.rooms.leave(RoomId(1), AccountId(1), event.id)


Change = Callable[[Transaction], Awaitable[None]]


@pytest.mark.parametrize(
    ("change", "seen"),
    [(sign_out, (None, "tea", True)), (leave, ("ann", "tea", False))],
)
async def test_a_change_is_seen_by_the_next_unit(
    store: SqliteStore, change: Change, seen: tuple[str | None, str | None, bool | None]
) -> None:
    await store.write(change)
    assert await asked(store) == seen


async def test_what_was_rolled_back_is_forgotten(store: SqliteStore) -> None:
    async def fail(transaction: Transaction) -> None:
        await leave(transaction)
        access = await transaction.rooms.access(RoomId(1), AccountId(1))
        assert access is not None
        assert not access.is_member
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(fail)
    assert await asked(store) == ("ann", "tea", True)


async def test_what_another_process_writes_is_seen(store: SqliteStore, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("DELETE FROM token")
        other.execute("UPDATE room SET name = 'coffee'")
    assert await asked(store) == (None, "coffee", True)


async def test_the_time_decides_although_a_token_is_kept(store: SqliteStore) -> None:
    assert (await asked(store, after(NOW, DAY)))[0] is None
    assert (await asked(store))[0] == "ann"


def test_the_memory_is_bounded() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        kept = KeptRows(connection)
        for number in range(MOST_KEPT + 10):
            kept.keep(ACCOUNT_OF_TOKEN, (number,), number + 1)
        assert kept.get(ACCOUNT_OF_TOKEN, (9,)) is None
        assert kept.get(ACCOUNT_OF_TOKEN, (10,)) == 11


def test_what_changed_nothing_before_is_asked_about_again_once_more_is_kept() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE room (id INTEGER, updated_at INTEGER)")
        kept, touch = KeptRows(connection), "UPDATE room SET updated_at = ?"
        kept.keep(ACCOUNT_OF_TOKEN, (1,), "ann")
        kept.execute(touch, (1,))
        kept.keep(ACCESS, (1, 1), "tea")
        assert kept.get(ACCESS, (1, 1)) == "tea"
        kept.execute(touch, (2,))
        assert (kept.get(ACCESS, (1, 1)), kept.get(ACCOUNT_OF_TOKEN, (1,))) == (None, "ann")
