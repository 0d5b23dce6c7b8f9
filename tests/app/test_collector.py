"""The schedule of the garbage collector, and that its settings are restored."""

import contextlib
import gc
import sys
import weakref
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from regserver.app import run_collector
from regserver.app.collector import OLD_TURNS, YOUNG_SECONDS, give_back

OLD_LOOK_SECONDS = 1.5 * OLD_TURNS * YOUNG_SECONDS
"""Within it there was one."""


class Knot:
    """Refers to itself."""

    def __init__(self) -> None:
        self.self = self


@contextlib.asynccontextmanager
async def collector(growth: int) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_collector, growth)
        await trio.testing.wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


async def test_the_young_are_gone_soon(autojump_clock: trio.testing.MockClock) -> None:
    async with collector(1):
        young = weakref.ref(Knot())
        assert young() is not None
        await trio.sleep(2 * YOUNG_SECONDS)
        assert young() is None


@pytest.mark.parametrize(("growth", "gone"), [(1, True), (100_000_000, False)])
async def test_the_old_go_when_there_is_twice_as_much_and_enough_more(
    autojump_clock: trio.testing.MockClock, growth: int, gone: bool
) -> None:
    async with collector(growth):
        knot = Knot()
        old = weakref.ref(knot)
        await trio.sleep(2 * YOUNG_SECONDS)
        del knot
        await trio.sleep(OLD_LOOK_SECONDS)
        assert old() is not None
        more: list[list[int]] = [[] for _ in range(sys.getallocatedblocks() + 10_000)]
        await trio.sleep(OLD_LOOK_SECONDS)
        assert (old() is None) == gone
        del more


async def test_what_ends_is_freed_without_a_look_at_the_old(autojump_clock: trio.testing.MockClock) -> None:
    async with collector(100_000_000):
        held: list[list[int]] = [[] for _ in range(10_000)]
        await trio.sleep(2 * YOUNG_SECONDS)
        before = gc.get_freeze_count()
        held.clear()
        await trio.sleep(2 * YOUNG_SECONDS)
        assert before - gc.get_freeze_count() > 9_000


@pytest.mark.parametrize("thresholds", [(700, 10, 10), (123, 4, 5)])
async def test_afterwards_it_is_as_before(thresholds: tuple[int, int, int]) -> None:
    was = gc.get_threshold()
    gc.set_threshold(*thresholds)
    try:
        async with collector(1):
            assert gc.get_freeze_count() > 0
            assert gc.get_threshold() != thresholds
        assert gc.get_freeze_count() == 0
        assert gc.get_threshold() == thresholds
    finally:
        gc.set_threshold(*was)


def test_what_the_start_has_freed_goes_back_wherever_it_runs() -> None:
    pieces = [
        bytes(1000) for _ in range(20_000)
    ]  # of malloc, since the interpreter's allocator takes 512 bytes at most
    pinned = pieces[::10]
    del pieces
    give_back()
    assert all(piece == bytes(1000) for piece in pinned)
