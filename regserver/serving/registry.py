"""All running sessions: one ticker pings them, and a shutdown closes them. Joining and leaving is O(1).

Sessions are distributed over as many buckets as the ping interval has ticks. Each tick pings the sessions of one bucket, and
ends those of another that have been silent since their ping `pong_seconds` ago. So the work is even, and no session has a
timer of its own. Ticks are short because each ping is answered: with 5,000 sessions and ticks of a tenth of a second, 33
pongs come at once and delay a broadcast by a few milliseconds; with whole seconds it would be 333.
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
    """A session, as the registry sees it."""

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None: ...
    def abort_nowait(self) -> None: ...
    def ping_nowait(self) -> None: ...

    @property
    def is_silent(self) -> bool:
        """Whether nothing came since the last ping, although the session reads."""


class Registry:
    """The sessions of one front door."""

    def __init__(self, limits: FrontLimits) -> None:
        self._tick_seconds = min(_TICK_SECONDS, limits.ping_seconds / 10, limits.pong_seconds / 2)
        count = max(2, round(limits.ping_seconds / self._tick_seconds))
        self._buckets: list[set[Registered]] = [set() for _ in range(count)]
        self._pong_ticks = max(1, round(limits.pong_seconds / self._tick_seconds))
        # Against the ticker's direction, so that a server's first sessions are not pinged at once.
        self._next = itertools.cycle(reversed(self._buckets))
        self._unpinged: set[Registered] = set()
        self._closing: int | None = None

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) + len(self._unpinged)

    def join(self, session: Registered, *, is_pinged: bool) -> set[Registered]:
        """Adds a session; returns the set from which it must be discarded. After close_all it is closed at once."""
        bucket = next(self._next) if is_pinged else self._unpinged
        bucket.add(session)
        if self._closing is not None:
            session.close_nowait(self._closing)
        return bucket

    def _all(self) -> list[Registered]:
        return [*itertools.chain.from_iterable(self._buckets), *self._unpinged]

    def close_all(self, code: int, reason: str = "") -> None:
        """Starts the closing handshake of all sessions, and of those that join later."""
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
            except Exception:  # an error of one session must not end the pings of all
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
