"""Backups by schedule: one is made when the newest is older than backup.every, and then the oldest ones are removed.

    newest too old ──make──▶ a new one ──▶ all but the newest `keep` are removed
                      └────▶ a fault: nothing is removed, readiness says so, and it is tried again after a while

The times are those in the names of the files, so a restart changes nothing. Of several nodes on one store, one is on duty.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import msgspec
import trio

from regserver.domain.instant import DAY, HOUR, MINUTE, Duration, Instant, iso_seconds
from regserver.ports.backup import BackupFault, BackupFile, Backups
from regserver.ports.clock import Clock
from regserver.ports.store import StoreFault

log = logging.getLogger("regserver.backup")

LOOK_SECONDS = 30.0
RETRY = Duration(10 * MINUTE)
"""How long a fault is left alone, unless backup.every is shorter."""
LATE = Duration(2 * HOUR)
"""How much older than backup.every the newest one may be: so long may the making of one take."""

BackupOutcome = Literal["made", "failed"]


class BackupSchedule(msgspec.Struct, frozen=True):
    """every: how old the newest backup becomes. keep: how many there are."""

    every: Duration = DAY
    keep: int = 7


class BackupObserver(Protocol):
    """Receives what becomes of backups, such as for metrics."""

    def count(self, outcome: BackupOutcome) -> None:
        """One attempt ended."""

    def show(self, newest: BackupFile | None) -> None:
        """Takes the newest backup, after each look."""


async def always() -> bool:
    """That of the one node there is."""
    return True


class BackupService:
    """Makes backups of one store. is_on_duty: whether this node is the one that makes them; raises StoreFault."""

    def __init__(
        self,
        backups: Backups,
        clock: Clock,
        schedule: BackupSchedule,
        observer: BackupObserver,
        is_on_duty: Callable[[], Awaitable[bool]] = always,
    ) -> None:
        self._is_on_duty = is_on_duty
        self._is_ours = True
        self._backups = backups
        self._clock = clock
        self._schedule = schedule
        self._observer = observer
        self._newest: BackupFile | None = None
        self._fault = ""
        self._failed_at: Instant | None = None
        self._since = clock.now()

    async def run(self) -> None:
        """Makes what is due, until cancelled."""
        while True:
            await self.make_due()
            await self._clock.sleep(LOOK_SECONDS)

    async def make_due(self) -> bool:
        """Makes a backup if one is due; returns whether one was made. A fault is logged and shown by `check`."""
        try:
            self._newest = await trio.to_thread.run_sync(self._backups.newest, self._clock.now())
            self._observer.show(self._newest)
            self._is_ours = await self._is_on_duty()
            if not self._is_ours or not self._is_due():
                return False
            await self._make()
        except (BackupFault, StoreFault) as fault:
            self._failed(fault)
            return False
        return True

    def _is_due(self) -> bool:
        now, every = self._clock.now(), self._schedule.every
        if self._failed_at is not None and 0 <= now - self._failed_at < min(RETRY, every):
            return False
        return self._newest is None or now - self._newest.at >= every

    async def _make(self) -> None:
        at = self._clock.now()
        # Cancelled at a stop of the server: then the thread ends soon, and leaves nothing half done.
        made = await trio.to_thread.run_sync(self._backups.make, at, trio.from_thread.check_cancelled)
        self._newest, self._fault, self._failed_at = made, "", None
        self._observer.count("made")
        self._observer.show(made)
        removed = await trio.to_thread.run_sync(self._backups.prune, self._schedule.keep, at)
        log.info("backup %s was made", made.name, extra={"bytes": made.size, "removed": removed})

    def _failed(self, fault: BackupFault | StoreFault) -> None:
        self._fault, self._failed_at = str(fault), self._clock.now()
        self._observer.count("failed")
        log.error("a backup was not made: %s", fault)

    async def check(self) -> str | None:
        """None when backups are made in time, or by another node; otherwise the last fault and the newest backup."""
        if not self._is_ours:
            return None
        if self._fault:
            return f"{self._fault} ({describe(self._newest)})"
        since = self._newest.at if self._newest else self._since
        if self._clock.now() - since <= self._schedule.every + LATE:
            return None
        return f"no backup was made in time ({describe(self._newest)})"


def describe(newest: BackupFile | None) -> str:
    """The newest backup in words."""
    return "there is no backup" if newest is None else f"the newest is of {iso_seconds(newest.at)}"
