"""A cancelled statement is stopped on the server, and the connection or the pool goes on."""

import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
from psycopg._capabilities import capabilities

from regserver.store.postgres.driver import (
    ConnectionLost,
    DatabaseFault,
    PgConnection,
    Pool,
    PoolPolicy,
    connect,
    open_pool,
)
from regserver.store.postgres.driver.psycopg_hook import trio_connection
from tests.store.postgres.driver.cutter import Cutter, Mode
from tests.store.postgres.driver.moment import cancelled_at, until_running

MOST_AWAITS = 60
"""More than any of the units below has."""
RANDOM = 10_000


@pytest.fixture(params=["libpq 17", "older libpq"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to ask the server to cancel."""
    if request.param == "older libpq":
        monkeypatch.setattr(capabilities, "has_cancel_safe", lambda: False)


@pytest.mark.usefixtures("way")
async def test_a_running_statement_is_stopped(connection: PgConnection, other: PgConnection) -> None:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.value, "SELECT pg_sleep(60)")
            await until_running(other, "pg_sleep")
            nursery.cancel_scope.cancel()
    assert connection.at_rest
    assert (
        await other.value(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active'"
        )
        == 1
    )  # the one that asks
    assert await connection.value("SELECT 1") == 1


@pytest.mark.usefixtures("way")
async def test_one_that_the_server_has_not_read_yet_is_stopped(connection: PgConnection) -> None:
    """The first request to cancel may come before the statement does; another follows."""
    for _ in range(30):
        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(connection.value, "SELECT pg_sleep(60)")
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
        assert connection.at_rest
        assert await connection.value("SELECT 1") == 1


async def test_one_that_was_never_sent(connection: PgConnection) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await connection.run("INSERT INTO item (name) VALUES ('a')")
    assert connection.at_rest
    assert await connection.value("SELECT count(*) FROM item") == 0


async def test_while_fifty_megabytes_are_sent(connection: PgConnection) -> None:
    text = "x" * (50 * 2**20)
    for number in (0, 1, 2, 5, 10):
        await cancelled_at(partial(ignore, connection.value, "SELECT length($1::text)", text), number)
        assert connection.at_rest
        assert await connection.value("SELECT 1") == 1


async def ignore(call: Callable[..., Awaitable[Any]], *parameters: Any) -> None:
    await call(*parameters)


async def test_a_stream_and_a_copy(connection: PgConnection) -> None:
    for number in range(12):
        await cancelled_at(partial(read_stream, connection), number)
        assert connection.at_rest
        await cancelled_at(partial(copy_in, connection), number)
        assert connection.at_rest
        await cancelled_at(partial(copy_out, connection), number)
        assert connection.at_rest
        assert await connection.value("SELECT 1") == 1


async def read_stream(connection: PgConnection) -> None:
    async with connection.stream("SELECT repeat('x', 1000) FROM generate_series(1, 100000)") as rows:
        async for _ in rows:
            pass


async def copy_in(connection: PgConnection) -> None:
    async with connection.copy("COPY item (name) FROM STDIN") as copy:
        for _ in range(10):
            await copy.write("x" * 2_000_000 + "\n")


async def copy_out(connection: PgConnection) -> None:
    async with connection.copy(
        "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT"
    ) as copy:
        while await copy.read():
            pass


async def test_a_server_that_no_longer_answers_costs_the_connection(
    cutter: Cutter, cut_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trio_connection, "STOP_SECONDS", 0.3)
    async with await connect(cut_place) as connection:
        cutter.mode = Mode.STALL
        with trio.fail_after(10), trio.move_on_after(0.1) as scope:
            await connection.value("SELECT 1")
        assert scope.cancelled_caught
        assert connection.closed
        with pytest.raises(ConnectionLost, match="the connection is closed"):
            await connection.value("SELECT 1")


# --- a unit of work, cancelled at each of its awaits
async def unit(pool: Pool) -> None:
    """Moves one from the first row to the second."""
    async with pool.connection() as connection, connection.transaction():
        taken = await connection.value("UPDATE item SET small = small - 1 WHERE id = 1 RETURNING small")
        await connection.run("INSERT INTO item (name, small) VALUES ($1, $2)", "log", taken)
        async with connection.transaction():
            await connection.run("UPDATE item SET small = small + 1 WHERE id = 2")


async def unit_in_one(pool: Pool) -> None:
    """The same, with the end in one pipeline."""
    async with pool.connection() as connection, connection.transaction() as transaction:
        await connection.run("UPDATE item SET small = small - 1 WHERE id = 1")
        (logged, _) = await transaction.commit_after(
            [
                (
                    "INSERT INTO item (name, small) SELECT 'log', small FROM item WHERE id = 1 RETURNING id",
                    (),
                ),
                ("UPDATE item SET small = small + 1 WHERE id = 2", ()),
            ]
        )
        assert logged.row() is not None


async def unit_many(pool: Pool) -> None:
    """Outside a transaction, as one pipeline."""
    async with pool.connection() as connection:
        await connection.pipeline(
            [
                ("UPDATE item SET small = small - 1 WHERE id = 1", ()),
                ("INSERT INTO item (name, small) SELECT 'log', small FROM item WHERE id = 1", ()),
                ("UPDATE item SET small = small + 1 WHERE id = 2", ()),
            ]
        )


Unit = Callable[[Pool], Any]


async def prepare(connection: PgConnection) -> None:
    await connection.script("INSERT INTO item (name, small) VALUES ('first', 1000000), ('second', 0)")


async def moved(pool: Pool) -> int:
    """How often the unit was committed, which it was as a whole."""
    async with pool.connection() as connection:
        rows = await connection.rows("SELECT small FROM item WHERE id <= 2 ORDER BY id")
        logs = await connection.value("SELECT count(*) FROM item WHERE id > 2")
    (first,), (second,) = rows
    assert (1_000_000 - first, logs) == (second, second)
    return int(second)


@pytest.mark.parametrize("work", [unit, unit_in_one, unit_many])
@pytest.mark.parametrize("prepared", [False, True])
async def test_a_unit_cancelled_at_each_await_is_done_or_undone(
    connection: PgConnection, place: str, work: Unit, prepared: bool
) -> None:
    await prepare(connection)
    number, came, done = 0, True, 0
    while came:
        async with open_pool(place, PoolPolicy(least=1, most=1, patience=10)) as pool:
            for _ in range(3 if prepared else 0):
                await work(pool)
                done += 1
            came = await cancelled_at(partial(work, pool), number)
            with trio.fail_after(10):
                now = await moved(pool)
                assert now - done in ((0, 1) if came else (1,))
                await work(pool)
                done = now + 1
                assert await moved(pool) == done
        number += 1
    assert 1 < number < MOST_AWAITS


@pytest.mark.parametrize("work", [unit, unit_in_one, unit_many])
async def test_a_unit_that_waits_for_a_lock_is_stopped(
    connection: PgConnection, other: PgConnection, place: str, work: Unit
) -> None:
    await prepare(connection)
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        async with connection.transaction():
            await connection.run("UPDATE item SET small = small WHERE id = 1")
            with trio.fail_after(10):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(work, pool)
                    await until_running(other, "UPDATE item SET small = small - 1")
                    nursery.cancel_scope.cancel()
        assert await moved(pool) == 0
        assert pool.statistics().opened == 1


async def test_ten_thousand_random_cancellations(connection: PgConnection, place: str) -> None:
    """No later statement is hit by an earlier request to cancel, and what was committed is whole."""
    await prepare(connection)
    chance = random.Random(7)  # noqa: S311  (no secret)
    async with open_pool(place, PoolPolicy(least=4, most=4, patience=60)) as pool:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(cancel_often, pool, RANDOM // 20, chance)
        statistics = pool.statistics()
        assert (statistics.lent, statistics.waiting) == (0, 0)
        assert statistics.idle + statistics.opening == 4
        before = await moved(pool)
        await unit(pool)
        assert await moved(pool) == before + 1


async def cancel_often(pool: Pool, times: int, chance: random.Random) -> None:
    for _ in range(times):
        work = chance.choice([unit, unit_in_one, unit_many])
        with trio.move_on_after(chance.expovariate(1 / 0.004)):
            await work(pool)
        if chance.random() < 0.05:
            try:
                async with pool.connection() as connection:
                    assert await connection.value("SELECT $1::int", 5) == 5
            except DatabaseFault as fault:
                pytest.fail(f"a statement that nobody cancelled: {fault!r}")
