"""Points in time and durations as whole milliseconds, in the store and in computations alike."""

from datetime import UTC, datetime
from typing import NewType

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""


class Duration(int):
    """A duration in milliseconds. A type of its own, so that the configuration can read "10d" into it."""

    __slots__ = ()

    @property
    def seconds(self) -> float:
        """The duration in seconds, for Trio."""
        return self / 1000

    @property
    def whole_seconds(self) -> int:
        """Seconds, rounded up, for Retry-After and expiresIn: a client that waits so long is never too early."""
        return -(-self // 1000)


SECOND = Duration(1000)
MINUTE = Duration(60_000)
HOUR = Duration(3_600_000)
DAY = Duration(86_400_000)


def after(start: Instant, span: int) -> Instant:
    """The instant `span` milliseconds after `start`."""
    return Instant(start + span)


def _at(instant: Instant) -> datetime:
    return datetime.fromtimestamp(instant // 1000, UTC)


def iso_seconds(instant: Instant) -> str:
    """ISO 8601 in UTC with whole seconds, as the rooms door writes it: 2017-07-21T17:32:28Z."""
    return _at(instant).isoformat()[:19] + "Z"  # a third of strftime's time, for each post of a list


def iso_millis(instant: Instant) -> str:
    """ISO 8601 in UTC with milliseconds, as the steps door writes it: 2019-10-15T07:57:43.879Z."""
    return _at(instant).isoformat()[:19] + f".{instant % 1000:03d}Z"
