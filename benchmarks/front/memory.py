"""The memory of an idle socket: of the front door alone, and of both WebSockets of the started product.

It is what resident memory has grown by, from before the first socket until some rounds of pings after the last.
A few sockets come and go before, since what is made once is no socket's.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from benchmarks.checkout import with_earlier
from benchmarks.front import scenario
from benchmarks.front.contender import fan_client
from benchmarks.front.scenario import Sockets
from benchmarks.table import Figures, median, report, rounds, verdict

FIRST = 50
LEAVE_SECONDS = 3.0  # until they are gone, and the garbage collector has seen to what they left
HOUSES: dict[str, Callable[[int], AbstractContextManager[Sockets]]] = {
    "bare": scenario.bare,
    "rooms": scenario.rooms,
    "live": scenario.live,
}
MOST_KIB = {"bare": 7, "rooms": 9, "live": 9}


def memory(seconds: float) -> None:
    for sockets in (5000, 19_000):
        table = rounds(with_earlier({name: partial(idle, name, sockets, seconds) for name in HOUSES}), 1)
        report(
            f"Memory of {sockets:,} idle sockets after {seconds:.0f} s", table, ("kib_a_socket", "connects_s")
        )
        for name in HOUSES:
            kib = median(table, name, "kib_a_socket")
            verdict(f"KiB a socket, {name}", kib, MOST_KIB[name], at_most=True)


def idle(name: str, sockets: int, seconds: float) -> Figures:
    with HOUSES[name](sockets) as made:
        with fan_client("idle", made.server.port, FIRST, *made.target) as first:
            first.read()
        time.sleep(LEAVE_SECONDS)
        before = made.server.rss_kib()
        with fan_client("idle", made.server.port, sockets, *made.target) as waiting:
            figures = waiting.read()
            time.sleep(seconds)
            figures["kib_a_socket"] = (made.server.rss_kib() - before) / sockets
            return figures
