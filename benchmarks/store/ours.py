"""The statements of a post by our driver: python -m benchmarks.store.ours PLACE TASKS POOLED SECONDS [joined]

joined: the last two statements leave with COMMIT in one round trip, as the store sends them; otherwise one by one.
"""

import trio

from benchmarks.store.loop import Count, read_load
from benchmarks.store.statement import LOG_LOCK, Poster
from regserver.store.postgres.driver import PgConnection, PoolPolicy, open_pool


async def post(connection: PgConnection, poster: Poster, *, joined: bool) -> None:
    async with connection.transaction() as transaction:
        queries, room = poster.before()
        for statement, values in queries:
            await connection.execute(statement, *values)
        statement, values = poster.post(room)
        number = await connection.value(statement, *values)
        last = [LOG_LOCK, poster.event(room, number)]
        if joined:
            await transaction.commit_after(last)
            return
        for statement, values in last:
            await connection.execute(statement, *values)


async def main() -> None:
    load = read_load()
    async with open_pool(load.place, PoolPolicy(least=load.pooled, most=load.pooled)) as pool:
        while pool.statistics().idle < load.pooled:  # noqa: ASYNC110  (once)
            await trio.sleep(0.01)
        count = Count(load)

        async def run(poster: Poster) -> None:
            while True:
                async with pool.connection() as connection:
                    await post(connection, poster, joined=load.joined)
                if not count.goes_on():
                    return

        async with trio.open_nursery() as nursery:
            for number in range(load.tasks):
                nursery.start_soon(run, Poster(number))
        count.print()


if __name__ == "__main__":
    trio.run(main)
