"""One run of asyncpg on asyncio: python -m benchmarks.driver_asyncpg PLACE MODE TASKS SECONDS"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from benchmarks.driver import CONTENT, INSERT, ROOMS, SELECT

Unit = Callable[[int], Awaitable[object]]


async def select(connection: Any, number: int) -> object:
    found: object = await connection.fetchrow(SELECT, 1, number % ROOMS + 1)
    return found


async def insert(connection: Any, number: int) -> object:
    async with connection.transaction():
        found: object = await connection.fetchval(
            INSERT, number % ROOMS + 1, 1, CONTENT, 123_456_789_012, number
        )
    return found


UNITS = {"select": select, "insert": insert, "post": insert}


def unit_of(mode: str, connection: Any, pool: Any) -> Unit:
    work = UNITS[mode.removeprefix("pool-")]

    async def alone(number: int) -> object:
        return await work(connection, number)

    async def lent(number: int) -> object:
        async with pool.acquire() as lent:
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

    words = dict(word.split("=") for word in place.split())
    where = {
        "host": words["host"],
        "port": int(words["port"]),
        "user": words["user"],
        "database": words["dbname"],
    }
    pooled = mode.startswith("pool-")
    async with asyncpg.create_pool(**where, min_size=tasks, max_size=tasks) as pool:
        own = [None if pooled else await asyncpg.connect(**where) for _ in range(tasks)]
        started, used = time.perf_counter(), time.process_time()
        async with asyncio.TaskGroup() as group:
            for connection in own:
                group.create_task(run(unit_of(mode, connection, pool), started + seconds))
        took, cpu = time.perf_counter() - started, time.process_time() - used
        for connection in own:
            if connection is not None:
                await connection.close()
    print(json.dumps({"units_s": done / took, "cpu_us": cpu / done * 1e6}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
