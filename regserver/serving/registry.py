"""All running sessions: pinged by one ticker, closed together at shutdown. Entering and leaving is O(1).

Sessions are dealt into as many buckets as the ping interval has ticks. Each tick pings the sessions of one bucket, and
ends those of another that have been silent since their ping `pong_seconds` ago. So the work is even, and no session
needs a timer of its own. The ticks are short because each ping is answered: of 5,000 sessions 33 pongs come at a time,
for which a broadcast waits a few milliseconds, instead of the 333 of a whole second.
"""

import itertools
import logging
from typing import Final, Protocol

import trio

from regserver.endpoint import CloseCode
from regserver.serving.limit import FrontLimits

_log = logging.getLogger(__name__)

_TICK_SECONDS: Final = 0.1
_SLICE: Final = 200  # sessions between two checkpoints: about a millisecond


class Registered(Protocol):
    """Any session."""

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None: ...
    def abort_nowait(self) -> None: ...
    def ping_nowait(self) -> None: ...

    @property
    def is_silent(self) -> bool:
        """Whether nothing came since the last ping."""


class Registry:
    """The sessions of one front door."""

    def __init__(self, limits: FrontLimits) -> None:
        self._tick_seconds = min(_TICK_SECONDS, limits.ping_seconds / 10, limits.pong_seconds / 2)
        count = max(2, round(limits.ping_seconds / self._tick_seconds))
        self._buckets: list[set[Registered]] = [set() for _ in range(count)]
        self._pong_ticks = max(1, round(limits.pong_seconds / self._tick_seconds))
        # Against the ticker's direction: the first sessions of a server are not pinged before anything has happened.
        self._next = itertools.cycle(reversed(self._buckets))
        self._unpinged: set[Registered] = set()
        self._closing: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) + len(self._unpinged)

    def join(self, session: Registered, *, is_pinged: bool) -> set[Registered]:
        """Enters a session; the set it must be discarded from. One that comes too late is closed at once."""
        bucket = next(self._next) if is_pinged else self._unpinged
        bucket.add(session)
        if self._closing is not None:
            session.close_nowait(self._closing)
        return bucket

    def _all(self) -> list[Registered]:
        return [*itertools.chain.from_iterable(self._buckets), *self._unpinged]

    def close_all(self, code: int, reason: str = "") -> None:
        """Starts the closing handshake of all sessions, and of each that still comes."""
        self._closing = code
        for session in self._all():
            session.close_nowait(code, reason)

    def abort_all(self) -> None:
        """Ends all sessions at once."""
        for session in self._all():
            session.abort_nowait()

    async def run_ticker(self) -> None:
        """Pings until cancelled."""
        at = trio.current_time()
        for tick in itertools.count():
            at += self._tick_seconds
            await trio.sleep_until(at)
            try:
                await self._tick(tick)
            except Exception:  # a fault with one session must not end the pings of all
                _log.exception("ping failed")

    async def _tick(self, tick: int) -> None:
        count = len(self._buckets)
        for number, session in enumerate(list(self._buckets[(tick - self._pong_ticks) % count])):
            if session.is_silent:
                session.abort_nowait()
            if number % _SLICE == _SLICE - 1:
                await trio.lowlevel.checkpoint()
        for number, session in enumerate(list(self._buckets[tick % count])):
            session.ping_nowait()
            if number % _SLICE == _SLICE - 1:
                await trio.lowlevel.checkpoint()
