"""The statements of a post by asyncpg on asyncio: python -m benchmarks.store.peer PLACE TASKS POOLED SECONDS"""

import asyncio
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from benchmarks.store.loop import Count, read_load
from benchmarks.store.statement import LOG_LOCK, Poster


async def post(connection: Any, poster: Poster) -> None:
    async with connection.transaction():
        queries, room = poster.before()
        for statement, values in queries:
            await connection.fetch(statement, *values)
        statement, values = poster.post(room)
        number = await connection.fetchval(statement, *values)
        for statement, values in (LOG_LOCK, poster.event(room, number)):
            await connection.fetch(statement, *values)


async def main() -> None:
    load = read_load()
    async with asyncpg.create_pool(load.place, min_size=load.pooled, max_size=load.pooled) as pool:
        count = Count(load)

        async def run(poster: Poster) -> None:
            while True:
                async with pool.acquire() as connection:
                    await post(connection, poster)
                if not count.goes_on():
                    return

        async with asyncio.TaskGroup() as group:
            for number in range(load.tasks):
                group.create_task(run(Poster(number)))
        count.print()


if __name__ == "__main__":
    asyncio.run(main())
