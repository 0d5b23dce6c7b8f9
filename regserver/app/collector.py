"""The garbage collector of a server: when it looks, and at what, is decided here, not by how much is allocated."""

import gc
import itertools
import sys

import trio

YOUNG_SECONDS = 0.1
OLD_TURNS = 100
GROWTH = 1_000_000
"""So many blocks more than the last look at everything left, some 80 MiB, call for the next."""


async def run_collector(growth: int = GROWTH) -> None:
    """Runs until cancelled, and then leaves the collector as it was. It belongs to the process: one server, one call.

    Left to itself the collector counts what is made less what is freed. While as many tasks end as begin it lets the
    young pile up, and then holds the loop for long; and it looks at all tasks and sockets again and again. Here the young
    are looked at often, a little at a time, and once: what lives on is put out of its sight. What ends later is freed
    without the collector, since a connection, a session, a request and a registration leave no cycle. In case something
    else does, everything is looked at when twice as much is allocated as after the last time, and at least `growth`
    blocks more.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 1_000_000, 1_000_000)
    try:
        limit = _look_at_all(growth)
        for turn in itertools.count(1):
            await trio.sleep(YOUNG_SECONDS)
            gc.collect(1)
            gc.freeze()
            if turn % OLD_TURNS == 0 and _allocated() > limit:
                limit = _look_at_all(growth)
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)


def _look_at_all(growth: int) -> int:
    """How much is too much from now on."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    allocated = _allocated()
    return allocated + max(allocated, growth)


def _allocated() -> int:
    """Blocks of the interpreter's allocator, which are counted by the pool; with another allocator, objects, one by one."""
    return sys.getallocatedblocks() or gc.get_freeze_count()
