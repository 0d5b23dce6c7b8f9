"""The pool."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio

from regserver.store.postgres.driver import (
    ConnectFailed,
    ConnectionLost,
    DatabaseFault,
    DatabaseUnavailable,
    PgConnection,
    Pool,
    PoolClosed,
    PoolFull,
    PoolPolicy,
    PoolTimeout,
    StatementFault,
    open_pool,
)
from tests.peer.postgres import Cluster, free_port
from tests.store.postgres.driver.cutter import Cutter, Mode
from tests.store.postgres.driver.moment import until


@asynccontextmanager
async def all_lent(pool: Pool, count: int) -> AsyncIterator[list[PgConnection]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(pool.connection()) for _ in range(count)]


def pid(connection: PgConnection) -> int:
    return connection.raw.pgconn.backend_pid


# --- lending
async def test_it_opens_as_many_as_it_keeps(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=3, most=5)) as pool:
        await until(lambda: pool.statistics().idle == 3)
        async with pool.connection() as connection:
            assert await connection.value("SELECT 1") == 1
            assert (pool.statistics().lent, pool.statistics().idle) == (1, 2)
        assert (pool.statistics().lent, pool.statistics().idle) == (0, 3)
        assert pool.statistics().waited == 0


async def test_it_grows_to_its_bound(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=3, patience=0.1)) as pool:
        async with all_lent(pool, 3) as lent:
            assert len({pid(each) for each in lent}) == 3
            with pytest.raises(PoolTimeout, match=r"no connection was free within 0\.1 s"):
                async with pool.connection():
                    pass
        statistics = pool.statistics()
        assert (statistics.idle, statistics.opened, statistics.timed_out) == (3, 3, 1)
        assert statistics.waited >= 1
        assert statistics.waited_seconds > 0


async def test_the_same_is_lent_again(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=2, most=4)) as pool:
        async with pool.connection() as connection:
            first = pid(connection)
        for _ in range(5):
            async with pool.connection() as connection:
                assert pid(connection) == first


async def test_first_come_first_served(place: str) -> None:
    served: list[int] = []

    async def come(pool: Pool, number: int) -> None:
        async with pool.connection():
            served.append(number)
            await trio.lowlevel.checkpoint()

    async with (
        open_pool(place, PoolPolicy(least=1, most=1)) as pool,
        trio.open_nursery() as nursery,
        pool.connection(),
    ):
        for number in range(20):
            nursery.start_soon(come, pool, number)
            await trio.testing.wait_all_tasks_blocked()
        assert pool.statistics().waiting == 20
    assert served == list(range(20))


async def test_one_that_gives_up_lets_the_next_one_come(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        async with trio.open_nursery() as nursery:
            async with pool.connection() as connection:
                scope = trio.CancelScope()
                done = trio.Event()

                async def give_up() -> None:
                    with scope:
                        async with pool.connection():
                            pytest.fail("it was cancelled before")

                async def come() -> None:
                    async with pool.connection() as mine:
                        assert pid(mine) == pid(connection)
                        done.set()

                nursery.start_soon(give_up)
                await trio.testing.wait_all_tasks_blocked()
                nursery.start_soon(come)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
                await trio.testing.wait_all_tasks_blocked()
                assert pool.statistics().waiting == 1
            await done.wait()
        assert (pool.statistics().lent, pool.statistics().idle) == (0, 1)


async def test_a_full_queue_refuses_at_once(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1, most_waiting=2)) as pool:
        async with trio.open_nursery() as nursery, pool.connection():
            for _ in range(2):
                nursery.start_soon(borrow, pool)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(PoolFull, match="2 callers wait"):
                await borrow(pool)
        assert pool.statistics().refused == 1


async def borrow(pool: Pool) -> int:
    async with pool.connection() as connection:
        return int(await connection.value("SELECT pg_backend_pid()"))


async def test_patience_of_its_own(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1, patience=60)) as pool, pool.connection():
        with pytest.raises(PoolTimeout):
            async with pool.connection(0.01):
                pass


async def test_one_that_is_given_back_at_the_moment_of_giving_up(place: str) -> None:
    """Whoever wins, no connection is lost."""
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        for _ in range(50):
            async with trio.open_nursery() as nursery:
                async with pool.connection():
                    nursery.start_soon(borrow, pool)
                    await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
            await until(lambda: pool.statistics().idle == 1)
        assert pool.statistics().opened == 1


@pytest.mark.parametrize("wrong", [{"least": 3, "most": 2}, {"most": 0, "least": 0}, {"most_waiting": -1}])
def test_bounds_that_are_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a pool needs"):
        PoolPolicy(**wrong)


# --- what comes back
async def test_one_within_a_transaction_is_closed(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        async with pool.connection() as connection:
            await connection.script("BEGIN")
        async with pool.connection() as connection:
            assert await connection.value("SELECT 1") == 1
        assert (pool.statistics().opened, pool.statistics().lost) == (2, 1)


async def test_one_that_listens_is_closed(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        async with pool.connection() as connection:
            await connection.listen("channel")
            first = pid(connection)
        assert await borrow(pool) != first


async def test_an_exception_of_the_caller_does_not_cost_it(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        for _ in range(3):
            with pytest.raises(StatementFault):
                async with pool.connection() as connection, connection.transaction():
                    await connection.value("SELECT 1 / 0")
        assert pool.statistics().opened == 1


# --- broken ones
async def test_an_idle_one_that_was_terminated_is_not_lent(place: str, other: PgConnection) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        first = await borrow(pool)
        await other.value("SELECT pg_terminate_backend($1::int, 5000)", first)
        assert await borrow(pool) != first
        assert pool.statistics().lost == 1


async def test_one_that_is_terminated_in_a_transaction(place: str, other: PgConnection) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=1)) as pool:
        with pytest.raises(DatabaseUnavailable, match="57P01"):
            async with pool.connection() as connection, connection.transaction():
                await connection.run("INSERT INTO item (name) VALUES ('a')")
                await other.value("SELECT pg_terminate_backend($1::int, 5000)", pid(connection))
                await connection.value("SELECT 1")
        async with pool.connection() as connection:
            assert await connection.value("SELECT count(*) FROM item") == 0


async def test_one_that_was_idle_for_long_is_asked(cutter: Cutter, cut_place: str) -> None:
    async with open_pool(cut_place, PoolPolicy(least=1, most=1, check_after=0, check_within=0.1)) as pool:
        first = await borrow(pool)
        assert await borrow(pool) == first
        cutter.mode = Mode.STALL
        with trio.move_on_after(0.3):
            await borrow(pool)
        assert pool.statistics().lost == 1
        cutter.mode = Mode.PASS
        assert await borrow(pool) != first


async def test_cancelled_while_it_is_asked(cutter: Cutter, cut_place: str) -> None:
    async with open_pool(cut_place, PoolPolicy(least=1, most=1, check_after=0)) as pool:
        for seconds in (0, 0.0001, 0.0005, 0.001, 0.002):
            with trio.move_on_after(seconds):
                await borrow(pool)
            await until(lambda: pool.statistics().lent == 0)
        assert await borrow(pool) > 0


async def test_each_is_replaced_when_it_is_old(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=2, most=2, max_life=0.2)) as pool:
        await until(lambda: pool.statistics().opened >= 6)
        async with pool.connection() as connection:
            first = pid(connection)
            await trio.sleep(0.25)
            assert await connection.value("SELECT 1") == 1
        assert await borrow(pool) != first


async def test_those_beyond_need_are_closed(place: str) -> None:
    async with open_pool(place, PoolPolicy(least=1, most=5, max_idle=0.1)) as pool:
        async with all_lent(pool, 5):
            pass
        assert pool.statistics().idle == 5
        await until(lambda: pool.statistics().idle == 1)


# --- a server that goes and comes
async def test_the_server_restarts_under_it(place: str, database: str) -> None:
    with Cluster.create() as own:
        async with open_pool(own.place("postgres"), PoolPolicy(least=4, most=4, patience=20)) as pool:
            await until(lambda: pool.statistics().idle == 4)
            faults: list[DatabaseFault] = []
            done: list[int] = []
            async with trio.open_nursery() as nursery:
                for _ in range(8):
                    nursery.start_soon(work_on, pool, done, faults)
                await until(lambda: len(done) > 50)
                await trio.to_thread.run_sync(own.restart)
                before = len(done)
                await until(lambda: len(done) > before + 200)
                nursery.cancel_scope.cancel()
            assert all(isinstance(fault, DatabaseUnavailable) for fault in faults)
            assert pool.statistics().failures == 0
            await until(lambda: pool.statistics().idle == 4)


async def work_on(pool: Pool, done: list[int], faults: list[DatabaseFault]) -> None:
    while True:
        try:
            done.append(await borrow(pool))
        except DatabaseFault as fault:
            faults.append(fault)


async def test_while_the_server_is_away_callers_wait_and_attempts_are_few(place: str) -> None:
    policy = PoolPolicy(least=4, most=4, patience=0.5, first_pause=0.05, longest_pause=0.1)
    with Cluster.create() as own:
        async with open_pool(own.place("postgres"), policy) as pool:
            await until(lambda: pool.statistics().idle == 4)
            await trio.to_thread.run_sync(own.stop)
            with pytest.raises(PoolTimeout) as caught:
                await borrow(pool)
            assert isinstance(caught.value.__cause__, ConnectFailed)
            assert 1 <= pool.statistics().failures < 15
            assert pool.statistics().opening == 4
            await trio.to_thread.run_sync(own.start)
            assert await borrow(pool) > 0
            await until(lambda: pool.statistics().idle == 4)
            assert pool.statistics().failures == 0


def test_pauses_grow_and_chance_spreads_them() -> None:
    policy = PoolPolicy(first_pause=0.1, longest_pause=10)
    assert [policy.pause(n, 0) for n in (1, 2, 3, 8, 1000)] == [0.1, 0.2, 0.4, 10, 10]
    assert policy.pause(1, 1) == 0.05
    assert PoolPolicy(max_life=100).life(1) == 90


# --- opening and closing
async def test_a_place_that_is_wrong_is_told_when_it_opens() -> None:
    with pytest.raises(ConnectFailed):
        async with open_pool(f"host=127.0.0.1 port={free_port()} user=test"):
            pass


async def test_each_connection_is_prepared(place: str) -> None:
    async def prepare(connection: PgConnection) -> None:
        await connection.script("SET search_path = 'mine'")

    async with open_pool(place, PoolPolicy(least=2, most=2), prepare) as pool, all_lent(pool, 2) as lent:
        assert [await each.value("SHOW search_path") for each in lent] == ["mine", "mine"]


async def test_preparing_that_fails_is_told_when_it_opens(place: str) -> None:
    async def prepare(connection: PgConnection) -> None:
        await connection.script("SET nothing = 'mine'")

    with pytest.raises(StatementFault, match="unrecognized configuration parameter"):
        async with open_pool(place, PoolPolicy(), prepare):
            pass


async def test_the_callers_own_exception_leaves_it_bare(place: str) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        async with open_pool(place):
            raise RuntimeError("mine")


async def test_closing_waits_for_those_that_are_lent(place: str) -> None:
    results: list[int] = []

    async def slow(pool: Pool, started: trio.Event) -> None:
        async with pool.connection() as connection:
            started.set()
            await connection.value("SELECT pg_sleep(0.2)")
            results.append(await connection.value("SELECT 5"))

    async with trio.open_nursery() as nursery:
        async with open_pool(place) as pool:
            started = trio.Event()
            nursery.start_soon(slow, pool, started)
            await started.wait()
        with pytest.raises(PoolClosed):
            await borrow(pool)
    assert results == [5]


async def test_closing_ends_in_bounded_time(place: str, other: PgConnection) -> None:
    ended: list[DatabaseFault] = []

    async def never(pool: Pool, started: trio.Event) -> None:
        try:
            async with pool.connection() as connection:
                started.set()
                await connection.value("SELECT pg_sleep(60)")
        except ConnectionLost as fault:
            ended.append(fault)

    async def refused(pool: Pool) -> None:
        with pytest.raises(PoolClosed):
            await borrow(pool)

    policy = PoolPolicy(least=1, most=1, close_within=0.2)
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery, open_pool(place, policy) as pool:
            started = trio.Event()
            nursery.start_soon(never, pool, started)
            await started.wait()
            nursery.start_soon(refused, pool)
            await trio.testing.wait_all_tasks_blocked()
    assert len(ended) == 1
    assert pool.statistics().lent == 0


async def test_closing_while_it_connects(cutter: Cutter, cut_place: str) -> None:
    with trio.fail_after(5):
        async with open_pool(cut_place, PoolPolicy(least=1, most=4)) as pool:
            cutter.mode = Mode.STALL
            with trio.move_on_after(0.1):
                async with all_lent(pool, 2):
                    pass


async def test_a_cancelled_body_closes_it(place: str) -> None:
    with trio.move_on_after(0.1) as scope:
        async with open_pool(place):
            await trio.sleep_forever()
    assert scope.cancelled_caught
