"""The system clock, which may be wrong for a while: set ahead and back again, or wrong at start before it is synchronised.

What was written meanwhile lies ahead: mail would wait for days, contacts be locked, guesses wait. At start, and whenever the
clock jumps, such times are pulled in (FutureTable). A jump is seen by the monotonic clock, which nobody sets.
"""

import logging

from regserver.domain.instant import Duration, Instant
from regserver.ports.clock import Clock
from regserver.ports.future_table import Horizons
from regserver.ports.store import Store, StoreFault

log = logging.getLogger("regserver.clock")

LOOK_SECONDS = 5.0
JUMP = Duration(30_000)
"""Smaller steps are those of a clock that is being kept right."""


class ClockWatch:
    """horizons: how far times can lie ahead."""

    def __init__(self, store: Store, clock: Clock, horizons: Horizons) -> None:
        self._store = store
        self._clock = clock
        self._horizons = horizons
        self._offset = self._read()

    def _read(self) -> int:
        """The system clock against the monotonic one, in milliseconds: the same until the system clock is set."""
        return self._clock.now() - round(self._clock.elapsed() * 1000)

    async def run(self) -> None:
        """Pulls in at once and after every jump, until cancelled; a store that fails is tried again at the next look."""
        waiting = True
        while True:
            offset = self._read()
            if abs(jump := offset - self._offset) > JUMP:
                log.warning("the system clock was set by %d seconds", jump // 1000)
                waiting = True
            self._offset = offset
            waiting = waiting and not await self._done()
            await self._clock.sleep(LOOK_SECONDS)

    async def _done(self) -> bool:
        try:
            await self.pull_in()
        except StoreFault as fault:
            log.warning("times that lie ahead were not pulled in: %s", fault)
            return False
        return True

    async def pull_in(self) -> int:
        """Pulls in what lies further ahead than it can; returns how many rows. Raises StoreFault."""
        now: Instant = self._clock.now()
        changed = await self._store.write(
            lambda transaction: transaction.futures.pull_in(now, self._horizons)
        )
        if changed:
            log.warning("%d times lay further ahead than they can, and were pulled in", changed)
        return changed
