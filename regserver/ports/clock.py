"""The time of day, and waiting for it."""

import time
from contextlib import AbstractContextManager
from typing import Protocol

import trio

from regserver.domain.instant import Instant


def machine_time() -> Instant:
    """This machine's clock, which may be set."""
    return Instant(time.time_ns() // 1_000_000)


class Clock(Protocol):
    """A clock. Whatever is due by a setting is waited for by it, so that a test can let time pass.

    The bounds of one exchange with a peer (a request, a ping, a provider's answer) are Trio's own.
    """

    def now(self) -> Instant:
        """Wall-clock time."""

    def own_time(self) -> Instant:
        """That of this machine, for what other programs on it have dated."""
        return self.now()

    def elapsed(self) -> float:
        """Seconds by a clock that nobody sets; only differences mean something."""
        return trio.current_time()

    def move_on_after(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """As trio.move_on_after."""
        return trio.move_on_after(seconds)

    async def sleep(self, seconds: float) -> None:
        """As trio.sleep."""
        with self.move_on_after(seconds):
            await trio.sleep_forever()
