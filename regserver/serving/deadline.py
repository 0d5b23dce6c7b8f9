"""The deadlines of all connections, kept by one task with a coarse clock.

A connection sets two or three deadlines per request. As Trio's cancel scopes they took an eighth of a request's processor
time; here setting one is an addition. None ends early, and none more than 0.3 s late.
"""

import time
from typing import Final, Protocol

import trio

_TICK_SECONDS: Final = 0.1
_SLICE: Final = 2000  # connections between two checkpoints: well below a millisecond


class Timed(Protocol):
    """A connection. due: the deadline of its present state, counted from `Deadlines.soon`."""

    due: float

    def expire_nowait(self) -> None:
        """Called at the deadline, and again a tenth of a second later until `due` is set anew."""

    def close_if_idle(self) -> None:
        """Closes the connection unless a request is being read or answered."""

    def abort(self) -> None:
        """Ends the connection at once."""


class Deadlines:
    """The deadlines of all present connections. soon: now or a little later, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.connections: set[Timed] = set()
        self.soon = time.monotonic() + _TICK_SECONDS

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
