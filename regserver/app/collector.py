"""The schedule of the garbage collector: by time instead of by the number of allocations."""

import contextlib
import ctypes
import gc
import itertools
import sys

import trio

YOUNG_SECONDS = 0.1
OLD_TURNS = 100
GROWTH = 1_000_000
"""Blocks, about 80 MiB: the growth since the last full collection that causes the next one."""


async def run_collector(growth: int = GROWTH) -> None:
    """Runs until cancelled, and then restores the collector's settings. One call per process, since they are global.

    By default the collector counts allocations minus deallocations. While as many tasks end as begin it seldom runs, then
    scans many young objects at once and blocks the event loop; and it scans all tasks and sockets again and again. Here
    young objects are scanned often, few at a time, and once: survivors are frozen. Objects that end later are freed
    without the collector, since connections, sessions, requests and registrations leave no cycle. In case other objects
    do, a full collection runs when twice as many blocks are allocated as after the last one, and at least `growth` more.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(50_000, 1_000_000, 1_000_000)
    try:
        gc.collect()  # what the start has left; the modules, which the command line has frozen, need no look
        limit = _freeze(growth)
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
    """Collects everything; returns the number of allocated blocks that causes the next full collection."""
    gc.unfreeze()
    gc.collect()
    return _freeze(growth)


def _freeze(growth: int) -> int:
    gc.freeze()
    allocated = _allocated()
    return allocated + max(allocated, growth)


def _allocated() -> int:
    """Allocated blocks; frozen objects where the interpreter's allocator is not in use and counts none."""
    return sys.getallocatedblocks() or gc.get_freeze_count()


def give_back() -> None:
    """Returns to the system what the start has freed: 1.6 MiB, in about a millisecond. Only glibc has malloc_trim."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
