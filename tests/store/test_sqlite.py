"""The embedded store: units of work, group commit, the order of events, migrations."""

import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.lowlevel

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.domain.room_event import Left, RoomEvent
from regserver.ports.store import StoreFault
from regserver.ports.transaction import Conflict, Transaction
from regserver.store.migration import migrations
from regserver.store.sql.sql_transaction import SqlTransaction
from regserver.store.sqlite import SqliteStore, connect, file_keeper, migrate, open_sqlite
from regserver.store.sqlite.connection import SqliteSql
from regserver.store.sqlite.copy import log_file
from regserver.store.sqlite.kept_rows import KeptRows
from regserver.store.sqlite.unit import run_to_end
from tests.store.test_upgrade import fill

NOW = Instant(1_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(tmp_path / "x.db") as opened:
        yield opened


async def room_names(store: SqliteStore) -> list[str | None]:
    async def work(transaction: Transaction) -> list[str | None]:
        doors = [await transaction.rooms.access(RoomId(number), AccountId(1)) for number in range(1, 20)]
        return [door.room.name for door in doors if door is not None]

    return await store.read(work)


async def test_what_was_written_is_read(store: SqliteStore) -> None:
    room = await store.write(lambda transaction: transaction.rooms.add("tea", NOW))
    assert room == 1
    assert await room_names(store) == ["tea"]


async def test_a_failing_unit_takes_nobody_along(store: SqliteStore) -> None:
    """Many units meet in one commit; each has its own savepoint."""
    raised = []

    async def work(transaction: Transaction, number: int) -> None:
        await transaction.rooms.add(str(number), NOW)
        if number % 2:
            raise LookupError(number)

    async def run(number: int) -> None:
        try:
            await store.write(lambda transaction: work(transaction, number))
        except LookupError:
            raised.append(number)

    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(run, number)
    assert sorted(raised) == [1, 3, 5, 7, 9]
    assert sorted(map(str, await room_names(store))) == ["0", "2", "4", "6", "8"]


async def test_events_are_heard_in_order_after_their_commit_and_before_their_writer(
    store: SqliteStore,
) -> None:
    heard: list[RoomEvent] = []
    written: list[RoomEvent] = []

    def listen(events: Sequence[RoomEvent]) -> None:
        heard.extend(events)

    async def write(number: int) -> None:
        event = await store.write(
            lambda transaction: transaction.events.append(
                RoomId(number), AccountId(1), Left(deleted=False), NOW
            )
        )
        assert event in heard
        written.append(event)

    store.listen(listen)
    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(write, number)
    assert [event.id for event in heard] == sorted(event.id for event in written)


async def test_events_of_a_failed_unit_are_not_heard(store: SqliteStore) -> None:
    heard: list[RoomEvent] = []
    store.listen(heard.extend)

    async def work(transaction: Transaction) -> None:
        await transaction.events.append(RoomId(1), AccountId(1), Left(deleted=False), NOW)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert heard == []


async def test_a_read_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreFault, match="readonly"):
        await store.read(lambda transaction: transaction.rooms.add("x", NOW))


async def test_a_unit_may_await_nothing_else(store: SqliteStore) -> None:
    async def work(transaction: Transaction) -> None:
        await trio.lowlevel.checkpoint()

    with pytest.raises(RuntimeError):
        await store.write(work)
    assert await room_names(store) == []


async def test_a_cancelled_writer_is_held_until_the_outcome_is_known(store: SqliteStore) -> None:
    token = trio.lowlevel.current_trio_token()
    returned = False
    with trio.CancelScope() as scope:

        async def work(transaction: Transaction) -> None:
            trio.from_thread.run_sync(scope.cancel, trio_token=token)
            await transaction.rooms.add("kept", NOW)

        await store.write(work)
        returned = True
        await trio.lowlevel.checkpoint()
    assert returned
    assert scope.cancelled_caught
    assert await room_names(store) == ["kept"]


async def test_a_closed_store_is_one_file(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.db"
        async with open_sqlite(path) as store:
            await store.write(lambda transaction: transaction.server_keys.settle(b"fingerprint"))
        assert not log_file(path).exists()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "x.db") as store:
        await store.check()
    with pytest.raises(StoreFault, match="closed"):
        await store.check()


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    newest = migrate(path, NOW)
    assert newest == len(migrations())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO migration (number, name, at) VALUES (?, 'future', 0)", (newest + 1,))
    connection.close()
    with pytest.raises(
        StoreFault, match=f"at schema version {newest + 1}, this program knows up to {newest}"
    ):
        migrate(path, NOW)


async def test_a_broken_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.db"
    broken = migrations()
    broken[-1] = type(broken[-1])(len(broken), "broken", "CREATE TABLE fine (x INT);\nCREATE TABLE broken (")
    monkeypatch.setattr("regserver.store.migration.migrations", lambda: broken)
    with pytest.raises(StoreFault):
        migrate(path, NOW)
    connection = sqlite3.connect(path)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert tables == {"migration"}


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [step.number for step in migrations()] == list(range(1, len(migrations()) + 1))


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrate(path, NOW)
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="No such file or directory"):
        migrate(tmp_path / "nowhere" / "x.db", NOW)


@pytest.mark.parametrize(
    ("raised", "comes_out"),
    [
        (sqlite3.IntegrityError("UNIQUE constraint failed"), Conflict),
        (sqlite3.OperationalError("disk I/O error"), StoreFault),
        (sqlite3.DatabaseError("database disk image is malformed"), StoreFault),
        (sqlite3.ProgrammingError("wrong number of bindings"), sqlite3.ProgrammingError),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_becomes_of_an_error_of_sqlite(raised: sqlite3.Error, comes_out: type[Exception]) -> None:
    async def work(transaction: Transaction) -> None:
        raise raised

    async def run(work: Callable[[Transaction], Awaitable[None]]) -> None:
        await work(SqlTransaction(SqliteSql(sqlite3.connect(":memory:"))))

    with pytest.raises(comes_out, match=str(raised)):
        run_to_end(run, work)


class Planned(SqliteSql):
    """Notes how each statement that reads rows is run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.plans: list[str] = []

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        plan = await super().rows(f"EXPLAIN QUERY PLAN {statement}", *parameters)
        self.plans.append("; ".join(row[-1] for row in plan))
        return await super().rows(statement, *parameters)


def test_a_list_of_rooms_reads_their_members_in_order_from_an_index_alone(tmp_path: Path) -> None:
    fill(tmp_path / "x.db", migrations()[-1].number)
    with closing(connect(tmp_path / "x.db", read_only=True)) as connection:
        sql = Planned(connection)
        page = run_to_end(
            SqlTransaction(sql).run, lambda transaction: transaction.rooms.page(AccountId(1), None, 9)
        )
        assert [len(room.members) for room in page.rooms] == [room.room.member_count for room in page.rooms]
        (plan,) = [plan for plan in sql.plans if "membership_present" in plan]
        assert plan == "SEARCH membership USING COVERING INDEX membership_present (room_id=?)"


def test_who_of_some_is_in_a_room_is_not_looked_for_among_all_its_members(tmp_path: Path) -> None:
    fill(tmp_path / "x.db", migrations()[-1].number)
    with closing(connect(tmp_path / "x.db", read_only=True)) as connection:
        sql = Planned(connection)
        some = [AccountId(1), AccountId(2), AccountId(99)]
        found = run_to_end(
            SqlTransaction(sql).run, lambda transaction: transaction.rooms.present(RoomId(1), some)
        )
        assert found == {1, 2}
        assert sql.plans == ["SEARCH membership USING INDEX membership_current (room_id=? AND account_id=?)"]


def test_a_wait_for_the_lock_is_measured_by_a_clock_that_nobody_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    wall, own = [1_600_000_000.0], [50.0]
    clocks = {**vars(time), "time": lambda: wall[0], "monotonic": lambda: own[0]}
    monkeypatch.setattr(file_keeper, "time", SimpleNamespace(**clocks))
    condition = file_keeper.StoreCondition()
    condition.begin()
    wall[0] += 3600
    assert condition.fault() is None
    wall[0] -= 7200
    own[0] += 2
    assert "held the database's lock since 12:26:40" in str(condition.fault())
    condition.got_lock()
    assert condition.fault() is None


async def test_a_bug_in_the_writer_keeps_nobody_waiting(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its thread, every later write would wait for ever."""
    with monkeypatch.context() as patched:
        patched.setattr(file_keeper.FileKeeper, "tend", lambda keeper, idle=False: 1 / 0)
        await store.write(lambda transaction: transaction.rooms.access(RoomId(1), AccountId(1)))
    with monkeypatch.context() as patched:
        patched.setattr(KeptRows, "begin", lambda kept: 1 / 0)
        with pytest.raises(StoreFault, match="a bug: ZeroDivisionError"):
            await store.write(lambda transaction: transaction.rooms.add("tea", NOW))
        with pytest.raises(StoreFault, match="a bug: ZeroDivisionError"):
            await store.check()
    assert await store.write(lambda transaction: transaction.rooms.add("tea", NOW)) == 1
    await store.check()
    assert await room_names(store) == ["tea"]
