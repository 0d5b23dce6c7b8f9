"""A process that adds to a number, 8 tasks at 25 times: python -m tests.store.postgres.driver.counter PLACE"""

import sys

import trio

from regserver.store.postgres.driver import Begin, Pool, PoolPolicy, TransactionConflict, open_pool

TASKS, TIMES = 8, 25


async def add(pool: Pool) -> None:
    for _ in range(TIMES):
        while not await added(pool):
            pass


async def added(pool: Pool) -> bool:
    """Reads the number and writes the next one, which is wrong unless the two are one step."""
    try:
        async with pool.connection() as connection, connection.transaction(Begin("SERIALIZABLE")):
            number = await connection.value("SELECT small FROM item WHERE id = 1")
            await connection.run("UPDATE item SET small = $1 WHERE id = 1", number + 1)
    except TransactionConflict:
        return False
    return True


async def main(place: str) -> None:
    async with open_pool(place, PoolPolicy(most=4, patience=60)) as pool, trio.open_nursery() as nursery:
        for _ in range(TASKS):
            nursery.start_soon(add, pool)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
