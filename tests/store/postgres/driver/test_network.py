"""A network that breaks, and two processes at once."""

import sys
from pathlib import Path

import pytest
import trio

from regserver.store.postgres.driver import (
    ConnectionLost,
    DatabaseUnavailable,
    PgConnection,
    PoolPolicy,
    connect,
    open_pool,
)
from tests.store.postgres.driver.cutter import Cutter, Mode
from tests.store.postgres.driver.moment import until_running


async def test_reset_while_a_statement_runs(other: PgConnection, cutter: Cutter, cut_place: str) -> None:
    async with await connect(cut_place) as connection, trio.open_nursery() as nursery:

        async def reset() -> None:
            await until_running(other, "pg_sleep")
            cutter.reset()

        nursery.start_soon(reset)
        with pytest.raises(ConnectionLost):
            await connection.value("SELECT pg_sleep(60)")
        assert connection.closed


async def test_reset_while_much_is_sent(cutter: Cutter, cut_place: str) -> None:
    async with await connect(cut_place) as connection, trio.open_nursery() as nursery:
        cutter.mode = Mode.STALL

        async def reset() -> None:
            await trio.sleep(0.1)
            cutter.reset()

        nursery.start_soon(reset)
        with pytest.raises(ConnectionLost):
            await connection.value("SELECT length($1)", "x" * 50_000_000)


async def test_closed_by_another_task(connection: PgConnection, other: PgConnection) -> None:
    async with trio.open_nursery() as nursery:

        async def close() -> None:
            await until_running(other, "pg_sleep")
            connection.close()

        nursery.start_soon(close)
        with pytest.raises(ConnectionLost):
            await connection.value("SELECT pg_sleep(60)")


async def test_closed_by_another_task_while_much_is_sent(cutter: Cutter, cut_place: str) -> None:
    async with await connect(cut_place) as connection, trio.open_nursery() as nursery:
        cutter.mode = Mode.STALL

        async def close() -> None:
            await trio.sleep(0.1)
            connection.close()

        nursery.start_soon(close)
        with pytest.raises(ConnectionLost):
            await connection.value("SELECT length($1)", "x" * 50_000_000)


async def test_a_byte_at_a_time(cutter: Cutter, cut_place: str) -> None:
    cutter.mode = Mode.TRICKLE
    async with await connect(cut_place) as connection:
        for number in range(3):
            assert await connection.value("SELECT $1::text", f"some text {number}") == f"some text {number}"
        async with connection.transaction():
            await connection.run_many("INSERT INTO item (name) VALUES ($1)", [("a",), ("b",)])
        async with connection.stream("SELECT name FROM item ORDER BY id", size=1) as rows:
            assert [row async for row in rows] == [("a",), ("b",)]
        with trio.move_on_after(0.1) as scope:
            await connection.value("SELECT pg_sleep(60)")
        assert scope.cancelled_caught
        assert connection.at_rest
        assert await connection.value("SELECT 1") == 1


async def test_a_pool_gets_over_a_network_that_resets_everything_now_and_then(
    cutter: Cutter, cut_place: str
) -> None:
    policy = PoolPolicy(least=3, most=3, patience=20, first_pause=0.01)
    async with open_pool(cut_place, policy) as pool:
        done, lost = 0, 0
        while done < 100 or lost < 5:
            if (done + lost) % 10 == 5:
                cutter.reset()
            try:
                async with pool.connection() as connection, connection.transaction():
                    await connection.run("INSERT INTO item (name) VALUES ('a')")
                    if (done + lost) % 10 == 8:
                        cutter.reset()
                    await connection.value("SELECT 1")
                done += 1
            except DatabaseUnavailable:
                lost += 1
        async with pool.connection() as connection:
            assert await connection.value("SELECT count(*) FROM item") == done


async def test_two_processes_count_together(connection: PgConnection, place: str) -> None:
    """Each adds to one number, by transactions that collide."""
    await connection.script("INSERT INTO item (name, small) VALUES ('counter', 0)")
    command = [sys.executable, "-m", "tests.store.postgres.driver.counter", place]
    with trio.fail_after(120):
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(run_to_end, command)
    assert await connection.value("SELECT small FROM item WHERE id = 1") == 2 * 8 * 25


async def run_to_end(command: list[str]) -> None:
    root = Path(__file__).parents[4]
    done = await trio.run_process(command, cwd=root, capture_stderr=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
