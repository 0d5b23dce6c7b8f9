"""How many codes were sent to each country by SMS, and how many of them were entered."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant
from regserver.domain.phone import Country


class SmsTally(msgspec.Struct, frozen=True):
    """The codes of one country. closed_until: None if it was not closed in that time."""

    sent: int
    entered: int
    closed_until: Instant | None


class SmsTable(Protocol):
    """One row per country and minute. A unit that decides by a tally takes Lock.SMS before it reads."""

    async def tally(self, country: Country, since: Instant) -> SmsTally:
        """The sums of the country's rows from the minute of `since` on."""

    async def count(self, country: Country, at: Instant, *, sent: int = 0, entered: int = 0) -> None:
        """Adds to the counts of the minute of `at` (atomic)."""

    async def close(self, country: Country, at: Instant, until: Instant) -> None:
        """Notes in the minute of `at` that the country gets no messages until then (atomic)."""

    async def purge(self, now: Instant) -> int:
        """Removes the rows that are too old to count; returns how many."""
