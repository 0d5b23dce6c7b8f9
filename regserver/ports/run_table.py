"""How long past live registrations took."""

from typing import Protocol

from regserver.domain.estimate import Run
from regserver.domain.instant import Instant


class RunTable(Protocol):
    """Past live registrations, by source."""

    async def add(self, source: str, run: Run, now: Instant, keep: int) -> None:
        """Remembers a run, and of this source's older ones no more than `keep` in all.

        Needs no lock: two nodes at once may keep one run more or less, which an estimate does not feel.
        """

    async def newest(self, source: str, count: int) -> tuple[Run, ...]:
        """The newest `count`, oldest first."""
