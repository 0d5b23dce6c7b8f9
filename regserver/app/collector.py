"""The garbage collector of a server: when it runs is decided here, not by how much is allocated."""

import gc
import itertools

import trio

YOUNG_SECONDS = 0.25
MIDDLE_TURNS = 8
FULL_TURNS = 240


async def run_collector() -> None:
    """Runs until cancelled. The objects of the start never die and are kept out of the collector.

    With many tasks alive it otherwise takes half the time. Left to itself it counts what is made less what is freed: while
    as many tasks end as begin it lets the young pile up, and then holds the loop for long. So the young are looked at
    often, a little at a time (at 1,000 registrations 19 ms at the longest instead of 91); what outlived that, every two
    seconds, since most connections have ended by then; and everything once a minute.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 1_000_000, 1_000_000)
    for turn in itertools.count(1):
        await trio.sleep(YOUNG_SECONDS)
        gc.collect(2 if turn % FULL_TURNS == 0 else 1 if turn % MIDDLE_TURNS == 0 else 0)
