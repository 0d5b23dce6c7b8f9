"""The durations of past live registrations."""

from typing import Protocol

from regserver.domain.estimate import Run
from regserver.domain.instant import Instant


class RunTable(Protocol):
    """Past live registrations, by source."""

    async def add(self, source: str, run: Run, now: Instant, keep: int) -> None:
        """Adds a run, and removes the source's oldest ones beyond `keep`.

        It needs no lock: two nodes at once may leave one run more or fewer, which does not matter to an estimate.
        """

    async def newest(self, source: str, count: int) -> tuple[Run, ...]:
        """The source's newest `count` runs, oldest first."""
