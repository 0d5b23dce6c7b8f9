"""The deadlines of all connections, kept by one task with a coarse clock.

A connection sets two or three deadlines per request. As timers of Trio's they took an eighth of a request's processor
time; here setting one is an addition. Nothing ends early, and nothing more than three tenths of a second late.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import trio

_TICK_SECONDS: Final = 0.1
_SLICE: Final = 2000  # connections between two checkpoints: well below a millisecond

NEVER: Final = float("inf")


class Timed(Protocol):
    """A connection. due: what `Deadlines.after` gave for its present state, or NEVER."""

    due: float

    def expire_nowait(self) -> None:
        """The time is up."""

    def close_if_idle(self) -> None: ...
    def abort(self) -> None: ...


class Deadlines:
    """Of the connections that have entered."""

    def __init__(self) -> None:
        self.connections: set[Timed] = set()
        self._soon = time.monotonic() + _TICK_SECONDS  # now, or a little later

    def after(self, seconds: float) -> float:
        """The `due` of what has so many seconds from now on."""
        return self._soon + seconds

    @contextmanager
    def entered(self, connection: Timed) -> Iterator[None]:
        self.connections.add(connection)
        try:
            yield
        finally:
            self.connections.discard(connection)

    async def run(self) -> None:
        """Keeps the time until cancelled."""
        while True:
            now = time.monotonic()
            self._soon = now + _TICK_SECONDS
            for number, connection in enumerate(list(self.connections), 1):
                if connection.due < now:
                    connection.expire_nowait()
                if number % _SLICE == 0:
                    await trio.lowlevel.checkpoint()
            await trio.sleep(_TICK_SECONDS)
