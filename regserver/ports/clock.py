"""The time of day."""

from typing import Protocol

from regserver.domain.instant import Instant


class Clock(Protocol):
    """A clock."""

    def now(self) -> Instant:
        """Wall-clock time."""
