"""The queue of password hashes: turns, time, clients that leave."""

import threading
from collections.abc import Callable

import pytest
import trio
import trio.testing

from regserver.adapters.hash_queue import WAIT_SECONDS, HashQueue
from regserver.ports.password_hasher import HashClient, HasherBusy, hash_client


class Bench:
    """A queue whose hashes are done one by one, when the test says so. order: who had a turn."""

    def __init__(self, places: int = 1) -> None:
        self.queue = HashQueue(places)
        self.order: list[str] = []
        self.busy: list[str] = []
        self._done = threading.Semaphore(0)

    def finish(self, count: int = 1) -> None:
        self._done.release(count)

    async def hash(self, key: str, gone: Callable[[], bool] = lambda: False) -> None:
        hash_client.set(HashClient(key, gone))

        def work() -> None:
            self.order.append(key)
            self._done.acquire()

        try:
            await self.queue.run(work)
        except HasherBusy:
            self.busy.append(key)


async def settle() -> None:
    """Lets the tasks run, and the threads begin."""
    for _ in range(20):
        await trio.sleep(0.002)


async def test_networks_take_turns() -> None:
    bench = Bench()
    async with trio.open_nursery() as nursery:
        for key in ["first", *["crowd"] * 5, "other", "third"]:
            nursery.start_soon(bench.hash, key)
            await settle()
        bench.finish(8)
    assert bench.order == ["first", "crowd", "other", "third", "crowd", "crowd", "crowd", "crowd"]
    assert bench.busy == []


async def test_a_wait_has_an_end(autojump_clock: trio.testing.MockClock) -> None:
    bench = Bench()
    bench.queue._free = 0  # somebody hashes and does not end
    began = trio.current_time()
    await bench.hash("late")
    assert bench.busy == ["late"]
    assert trio.current_time() - began == pytest.approx(WAIT_SECONDS)
    assert bench.queue._lines == {}


async def test_the_work_of_those_who_left_is_not_done() -> None:
    bench, left = Bench(), False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.hash, "first")
        await settle()
        for _ in range(200):
            nursery.start_soon(bench.hash, "crowd", lambda: left)
        nursery.start_soon(bench.hash, "other")
        await settle()
        left = True
        bench.finish(2)
    assert bench.order == ["first", "other"]
    assert bench.busy == ["crowd"] * 200


async def test_a_cancelled_wait_gives_its_turn_away() -> None:
    bench = Bench()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.hash, "first")
        await settle()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as leaving:
                leaving.start_soon(bench.hash, "leaves")
                leaving.start_soon(bench.hash, "leaves")
                await settle()
                scope.cancel()
        nursery.start_soon(bench.hash, "stays")
        await settle()
        bench.finish(2)
    assert bench.order == ["first", "stays"]
    assert bench.queue._lines == {}
    assert bench.queue._free == 1


async def test_a_turn_that_comes_with_the_cancellation_goes_on() -> None:
    bench = Bench()
    bench.queue._free = 0
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as leaving:
                leaving.start_soon(bench.hash, "leaves")
                await settle()
                nursery.start_soon(bench.hash, "stays")
                await settle()
                scope.cancel()
                bench.queue._leave()
        bench.finish(2)
    assert "stays" in bench.order
    assert bench.queue._free == 1


async def test_a_failing_hash_frees_its_place() -> None:
    queue = HashQueue(1)

    def fail() -> None:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await queue.run(fail)
    assert queue._free == 1
