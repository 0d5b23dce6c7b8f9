"""A clock that runs as the system's, and can be set on: whatever is due by then happens at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import trio

from regserver.adapters.system import SystemClock
from regserver.domain.instant import Instant
from regserver.ports.clock import Clock
from regserver.testing.home import Home


class SteppedClock(Clock):
    """The clock of one server. Tokens, codes, links, retention, deadlines, replay times and rate limits follow it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._system = SystemClock()
        self._ahead = 0.0
        self._waits: set[trio.CancelScope] = set()

    def now(self) -> Instant:
        """The system's time and what the clock was set on by."""
        return Instant(self._system.now() + round(self._ahead * 1000))

    def elapsed(self) -> float:
        """As now: a clock that was set on has lived through that time."""
        return trio.current_time() + self._ahead

    @contextmanager
    def move_on_after(self, seconds: float) -> Iterator[trio.CancelScope]:
        """As trio.move_on_after; the deadline comes nearer when the clock is set on."""
        with trio.move_on_after(seconds) as wait:
            self._waits.add(wait)
            try:
                yield wait
            finally:
                self._waits.discard(wait)

    def advance(self, span: timedelta | None = None, **parts: float) -> None:
        """Sets the clock on. parts: as of timedelta, such as hours=25. Raises ValueError for a time that goes back.

        It returns at once, and what is due happens as soon as the test awaits something.
        """
        seconds = (span or timedelta()).total_seconds() + timedelta(**parts).total_seconds()
        if seconds < 0:
            raise ValueError("time does not go back")
        self._home.now(partial(self._advance, seconds))

    def _advance(self, seconds: float) -> None:
        self._ahead += seconds
        for wait in self._waits:
            wait.deadline -= seconds
