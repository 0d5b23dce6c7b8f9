"""The deadlines of all connections, kept by one task with a coarse clock.

A connection sets two or three deadlines per request. As Trio's cancel scopes they took an eighth of a request's processor
time; here setting one is an addition. None ends early, and none more than 0.3 s late.
"""

import heapq
import time
from operator import itemgetter
from typing import Final, Protocol

import trio

_TICK_SECONDS: Final = 0.1
_EVICTED: Final = 256  # idle connections that one look finds
_LEAST_IDLE_SECONDS: Final = 1.0  # or newcomers would take each other's places
_SLICE: Final = 2000  # connections between two checkpoints: well below a millisecond


class Timed(Protocol):
    """A connection. due: the deadline of its present state, counted from `Deadlines.soon`.

    idle_since: when the client's last request was answered, infinite while one is read or answered.
    """

    due: float

    @property
    def idle_since(self) -> float: ...

    def expire_nowait(self) -> None:
        """Called at the deadline, and again a tenth of a second later until `due` is set anew."""

    def close_if_idle(self) -> None:
        """Closes the connection unless a request is being read or answered."""

    def evict_nowait(self) -> None:
        """Closes an idle connection at once, since its place is needed."""

    def abort(self) -> None:
        """Ends the connection at once."""


class Deadlines:
    """The deadlines of all present connections. soon: now or a little later, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.connections: set[Timed] = set()
        self.soon = time.monotonic() + _TICK_SECONDS
        self._longest_idle: list[tuple[float, Timed]] = []
        self._looked_at = 0.0

    async def run(self) -> None:
        """Expires connections until cancelled."""
        while True:
            await self._look_at_all()
            await trio.sleep(_TICK_SECONDS)

    async def _look_at_all(self) -> None:
        # Not part of `run`, whose frame would keep a reference to the last connection while it sleeps.
        now = time.monotonic()
        self.soon = now + _TICK_SECONDS
        for number, connection in enumerate(list(self.connections), 1):
            if connection.due < now:
                connection.expire_nowait()
            if number % _SLICE == 0:
                await trio.lowlevel.checkpoint()

    def evict_nowait(self) -> bool:
        """Closes the connection that has been idle for longest; False when none is idle."""
        while (idle := self._next_idle()) is not None:
            since, connection = idle
            if connection in self.connections and connection.idle_since == since:
                self.connections.discard(connection)
                connection.evict_nowait()
                return True
        return False

    def _next_idle(self) -> "tuple[float, Timed] | None":
        # One look finds many, and there is one look a tick, so that a full server spends no time on each newcomer.
        if not self._longest_idle and self._looked_at != self.soon:
            self._looked_at = self.soon
            newest = self.soon - _LEAST_IDLE_SECONDS
            idle = ((one.idle_since, one) for one in self.connections)
            found = heapq.nsmallest(_EVICTED, (pair for pair in idle if pair[0] < newest), key=itemgetter(0))
            self._longest_idle = found[::-1]
        return self._longest_idle.pop() if self._longest_idle else None
