"""The garbage collector of a server: when it runs is decided here, not by how much is allocated.

Nearly everything of ours is freed when its last reference goes; what the collector finds are the few cycles that errors
and TLS leave. But it looks at every object that is alive, and holds the loop meanwhile: left to itself, 90 ms with 1,000
registrations running. So what is new is looked at often, a little at a time, and what has been looked at two or three
times is put out of the collector's sight. From time to time everything is inspected: the more rarely, the less that finds.
"""

import gc
import itertools

import trio

YOUNG_SECONDS = 0.1
MIDDLE_TURNS = 5
"""Those that have outlived a turn are looked at again after half a second: many connections have ended by then."""
OLD_TURNS = 10
FEW = 40_000
"""Objects that are looked at a third time after a second, if they are no more than this: some 15 ms of work."""
FIRST_INSPECTION_TURNS = 600
LONGEST_INSPECTION_TURNS = 36_000
MUCH = 10_000
"""Objects in cycles, for which an inspection was worth its while: some 50 to 100 ms for each 1,000 registrations."""


async def run_collector() -> None:
    """Runs until cancelled. The objects of the start never die."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 1_000_000, 1_000_000)
    pause = FIRST_INSPECTION_TURNS
    inspection = pause
    for turn in itertools.count(1):
        await trio.sleep(YOUNG_SECONDS)
        if turn == inspection:
            gc.unfreeze()
            found = gc.collect()
            gc.freeze()
            pause = FIRST_INSPECTION_TURNS if found >= MUCH else min(2 * pause, LONGEST_INSPECTION_TURNS)
            inspection = turn + pause
        elif turn % OLD_TURNS == 0:
            gc.collect(2 if len(gc.get_objects(generation=2)) <= FEW else 1)
            gc.freeze()
        elif turn % MIDDLE_TURNS == 0:
            gc.collect(1)
        else:
            gc.collect(0)
