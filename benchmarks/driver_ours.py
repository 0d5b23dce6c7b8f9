"""One run of our driver: python -m benchmarks.driver_ours PLACE MODE TASKS SECONDS"""

import json
import sys
import time
from collections.abc import Awaitable, Callable

import trio

from benchmarks.driver import CONTENT, INSERT, ROOMS, SELECT
from regserver.store.postgres.driver import PgConnection, Pool, PoolPolicy, connect, open_pool

Unit = Callable[[int], Awaitable[object]]


async def select(connection: PgConnection, number: int) -> object:
    return await connection.row(SELECT, 1, number % ROOMS + 1)


async def insert(connection: PgConnection, number: int) -> object:
    async with connection.transaction():
        return await connection.value(INSERT, number % ROOMS + 1, 1, CONTENT, 123_456_789_012, number)


async def post(connection: PgConnection, number: int) -> object:
    async with connection.transaction() as transaction:
        (added,) = await transaction.commit_after(
            [(INSERT, (number % ROOMS + 1, 1, CONTENT, 123_456_789_012, number))]
        )
        return added.row()


UNITS = {"select": select, "insert": insert, "post": post}


def unit_of(mode: str, connection: PgConnection | None, pool: Pool) -> Unit:
    work = UNITS[mode.removeprefix("pool-")]

    async def alone(number: int) -> object:
        assert connection is not None
        return await work(connection, number)

    async def lent(number: int) -> object:
        async with pool.connection() as lent:
            return await work(lent, number)

    return lent if mode.startswith("pool-") else alone


async def main(place: str, mode: str, tasks: int, seconds: float) -> None:
    done = 0

    async def run(unit: Unit, end: float) -> None:
        nonlocal done
        number = 0
        while time.perf_counter() < end:
            await unit(number)
            number += 1
            done += 1

    pooled = mode.startswith("pool-")
    async with open_pool(place, PoolPolicy(least=tasks, most=tasks)) as pool:
        while pool.statistics().idle < tasks:  # noqa: ASYNC110  (once)
            await trio.sleep(0.01)
        own = [None if pooled else await connect(place) for _ in range(tasks)]
        started, used = time.perf_counter(), time.process_time()
        async with trio.open_nursery() as nursery:
            for connection in own:
                nursery.start_soon(run, unit_of(mode, connection, pool), started + seconds)
        took, cpu = time.perf_counter() - started, time.process_time() - used
        for connection in own:
            if connection is not None:
                connection.close()
    print(json.dumps({"units_s": done / took, "cpu_us": cpu / done * 1e6}))


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
