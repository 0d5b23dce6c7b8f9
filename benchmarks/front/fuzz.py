"""A long fuzz of heads, bodies and frames: python -m benchmarks.front.fuzz [COUNT] [SEED]

Throws that many almost right inputs (100,000 by default) at one server, each over a connection of its own, and looks
every thousand whether the same process still answers. Each is also read by our parser and by h11's. Ends with status 1
when the server does not answer or keeps anything open afterwards, or when the two parsers disagree.
"""

import os
import random
import sys
import time

import trio

from tests.serving.differential import disagreement
from tests.serving.fuzz import mutations
from tests.serving.support import RunningFront, bounds, open_front

_TOGETHER = 50
_CHECK_EVERY = 1000


async def _throw(server: RunningFront, raw: bytes, cut: int) -> None:
    async with server.peer() as peer:
        try:
            await peer.send(raw[:cut])
            await trio.lowlevel.checkpoint()
            await peer.send(raw[cut:])
            with trio.move_on_after(0.01):
                await peer.ended()
        except trio.BrokenResourceError:
            pass


async def _worker(server: RunningFront, inputs: "trio.MemoryReceiveChannel[tuple[bytes, int]]") -> None:
    async for raw, cut in inputs:
        await _throw(server, raw, cut)


async def main(*arguments: int) -> int:
    count, seed = (*arguments, *(100_000, 1)[len(arguments) :])
    started = time.monotonic()
    print(f"{count:,} inputs, seed {seed}")
    async with open_front(bounds(head_seconds=1, body_seconds=1, idle_seconds=1, accept_seconds=1)) as server:
        descriptors = len(os.listdir("/proc/self/fd"))
        sender, receiver = trio.open_memory_channel[tuple[bytes, int]](_TOGETHER)
        async with trio.open_nursery() as nursery:
            for _ in range(_TOGETHER):
                nursery.start_soon(_worker, server, receiver)
            async with sender:
                for number, item in enumerate(mutations(random.Random(seed), count), 1):  # noqa: S311
                    await sender.send(item)
                    if wrong := disagreement(item[0]):
                        print(f"h11 reads {item[0]!r} differently: {wrong}")
                        return 1
                    if number % _CHECK_EVERY == 0 and not await server.is_fine():
                        print(f"no answer any more after {number:,} inputs")
                        return 1
        await server.settled()
        left = len(os.listdir("/proc/self/fd")) - descriptors
        counts = server.counts
    print(
        f"still serving after {time.monotonic() - started:.0f} s; refused {dict(counts.refused)}, "
        f"closed {dict(counts.closed)}, contained {counts.errors}, left open {left}"
    )
    return int(left > 0 or counts.open != 0 or counts.sessions != 0)


if __name__ == "__main__":
    sys.exit(trio.run(main, *map(int, sys.argv[1:])))
