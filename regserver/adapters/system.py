"""The operating system's clock and random generator."""

import secrets
import time

from regserver.domain.instant import Instant
from regserver.ports.clock import Clock, machine_time


class SystemClock(Clock):
    """The system clock, which may be set."""

    def now(self) -> Instant:
        """Wall-clock time."""
        return machine_time()

    def elapsed(self) -> float:
        """Seconds by the system's own clock: the limit of every request asks, and Trio's takes four calls more."""
        return time.monotonic()


class SystemRandomness:
    """The system's cryptographic random generator."""

    def bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""
        return secrets.token_bytes(count)

    def below(self, bound: int) -> int:
        """A uniform integer, 0 <= n < bound."""
        return secrets.randbelow(bound)
