"""Brief reads of the embedded store: where they run, what they see, and what becomes of them when the store is busy or slow."""

import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.room import RoomId
from regserver.ports.store import StoreFault
from regserver.ports.transaction import Transaction
from regserver.store.sqlite import SqliteStore, look_up, open_sqlite
from regserver.store.sqlite.look_up import SLOW_SECONDS

NOW = Instant(1_000)
ROOM = RoomId(1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(tmp_path / "x.db") as opened:
        yield opened


async def where(_transaction: Transaction) -> str:
    return threading.current_thread().name


async def room_name(transaction: Transaction) -> str | None:
    access = await transaction.rooms.access(ROOM, AccountId(1))
    return None if access is None else access.room.name


async def add_tea(transaction: Transaction) -> None:
    await transaction.rooms.add("tea", NOW)


async def slowly(_transaction: Transaction) -> None:
    time.sleep(2 * SLOW_SECONDS)  # noqa: ASYNC251  (as a slow disk does)


class Ticking:
    """A clock that goes on by `step` seconds whenever somebody looks at it."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._now = 0.0

    def perf_counter(self) -> float:
        self._now += self._step
        return self._now


async def test_a_look_up_runs_on_the_event_loop_and_a_read_does_not(store: SqliteStore) -> None:
    assert await store.look_up(where) == threading.current_thread().name
    assert await store.read(where) == "sqlite-reader"


async def test_what_was_committed_is_seen_and_nothing_can_be_written(store: SqliteStore) -> None:
    assert await store.look_up(room_name) is None
    await store.write(add_tea)
    assert await store.look_up(room_name) == "tea"
    with pytest.raises(StoreFault, match="readonly"):
        await store.look_up(add_tea)
    assert await store.look_up(room_name) == "tea"


async def test_those_that_wait_are_served_in_turn_and_a_failing_one_fails_alone(store: SqliteStore) -> None:
    order: list[int] = []

    async def work(number: int) -> int:
        order.append(number)
        if number == 3:
            raise LookupError(number)
        return number

    async def ask(number: int) -> None:
        if number == 3:
            with pytest.raises(LookupError):
                await store.look_up(lambda _: work(number))
        else:
            assert await store.look_up(lambda _: work(number)) == number

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(ask, number)
    assert sorted(order) == list(range(8))


async def test_the_loop_goes_on_between_long_queues(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue that takes longer than a slice is served in several steps: here, of three units at most."""
    monkeypatch.setattr(look_up, "time", Ticking(0.0004))
    steps = 0

    async def count() -> None:
        nonlocal steps
        while True:
            await trio.lowlevel.checkpoint()
            steps += 1

    async def short(_transaction: Transaction) -> int:
        return steps

    found: list[int] = []

    async def ask() -> None:
        found.append(await store.look_up(short))

    async with trio.open_nursery() as outer:
        outer.start_soon(count)
        async with trio.open_nursery() as nursery:
            for _ in range(12):
                nursery.start_soon(ask)
        outer.cancel_scope.cancel()
    assert len(found) == 12
    assert len(set(found)) > 1


async def test_after_a_slow_one_the_threads_do_it_for_a_while(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.look_up(slowly)
    assert await store.look_up(where) == "sqlite-reader"
    monkeypatch.setattr(store._look_ups, "_rests_until", 0.0)
    assert await store.look_up(where) == threading.current_thread().name


async def test_one_that_meets_a_lock_waits_for_it_in_a_thread(store: SqliteStore) -> None:
    async def locked_here(transaction: Transaction) -> str:
        if (name := await where(transaction)) != "sqlite-reader":
            raise _error(sqlite3.SQLITE_BUSY)
        return name

    assert await store.look_up(locked_here) == "sqlite-reader"

    async def broken(_transaction: Transaction) -> None:
        raise _error(sqlite3.SQLITE_IOERR)

    with pytest.raises(StoreFault):
        await store.look_up(broken)


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


async def test_whoever_cleans_up_in_a_cancelled_scope_is_still_served(tmp_path: Path) -> None:
    names = []

    async def use(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with open_sqlite(tmp_path / "x.db") as store:
            try:
                task_status.started()
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    names.append(await store.look_up(where))

    async with trio.open_nursery() as nursery:
        await nursery.start(use)
        nursery.cancel_scope.cancel()
    assert names == [threading.current_thread().name]


async def test_a_cancelled_task_looks_nothing_up(store: SqliteStore) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await store.look_up(where)
    assert scope.cancelled_caught


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "x.db") as store:
        pass
    with pytest.raises(StoreFault, match="closed"):
        await store.look_up(where)
