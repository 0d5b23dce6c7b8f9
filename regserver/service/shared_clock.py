"""The clock of a node among others: the time of the store's machine, so that times which one node writes mean the same to the next.

    store's time at a reading ── + what has passed since, by a clock that nobody sets ──▶ now

Leases, codes, tokens and all that is due are compared with it. So it does not matter how wrong a node's own clock is, or that
somebody sets it. A reading tells no more than how long it took; within that nothing is changed.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import trio

from regserver.domain.instant import Instant
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault

log = logging.getLogger("regserver.clock")

READ_SECONDS = 10.0
SLOW_SECONDS = 1.0
"""A reading that took longer tells too little."""
WRONG_MS = 30_000
"""How far this machine's clock may be off before it is worth a word."""


class SharedClock(Clock):
    """own: this machine's. read: reads the store's time; raises StoreFault."""

    def __init__(self, own: Clock, read: Callable[[], Awaitable[Instant | None]]) -> None:
        self._own = own
        self._read = read
        self._offset = own.now() - round(own.elapsed() * 1000)

    def now(self) -> Instant:
        """The store's time."""
        return Instant(round(self._own.elapsed() * 1000) + self._offset)

    def own_time(self) -> Instant:
        """This machine's."""
        return self._own.now()

    def elapsed(self) -> float:
        """This machine's."""
        return self._own.elapsed()

    def move_on_after(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """This machine's."""
        return self._own.move_on_after(seconds)

    async def begin(self) -> None:
        """The first reading. Raises StoreFault."""
        await self._set(float("inf"))
        off = self._own.now() - self.now()
        if abs(off) > WRONG_MS:
            log.warning(
                "the clock of this machine is %d s off that of the database, which is used", off // 1000
            )

    async def run(self) -> None:
        """Reads again and again, until cancelled; while the store is away, its clock goes on as it did."""
        while True:
            await self.sleep(READ_SECONDS)
            try:
                await self._set(SLOW_SECONDS)
            except StoreFault as fault:
                log.info("the clock of the database was not read: %s", fault)

    async def _set(self, patience: float) -> None:
        before = self.elapsed()
        found = await self._read()
        took = self.elapsed() - before
        if found is None or took > patience:
            return
        offset = found - round((before + took / 2) * 1000)
        if abs(offset - self._offset) > took / 2 * 1000 + 1:
            self._offset = offset


async def keep_shared_time(store: Store, own: Clock) -> Clock:
    """The clock of the store's machine, which the store takes too; `own` where the store has none. Raises StoreFault."""
    if await store.time() is None:
        return own
    clock = SharedClock(own, store.time)
    await clock.begin()
    store.keep_time(clock.now)
    return clock
