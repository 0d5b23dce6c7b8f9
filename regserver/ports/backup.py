"""The place where backups are kept."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant
from regserver.ports.store_dump import StillWanted


class BackupFault(Exception):
    """A backup cannot be made or kept. The message is for the operator."""


class BackupFile(msgspec.Struct, frozen=True):
    """A finished backup. size: in bytes."""

    name: str
    at: Instant
    size: int


class Backups(Protocol):
    """Makes, lists and removes the backups of one store. All methods block, and raise BackupFault.

    Backups from the future were made while the clock was wrong: they are neither counted nor removed.
    """

    def newest(self, now: Instant) -> BackupFile | None:
        """The last one that was made; None where there is none."""

    def make(self, at: Instant, alive: StillWanted) -> BackupFile:
        """Makes a backup: a whole one or nothing. Also raises what `alive` raises."""

    def prune(self, keep: int, now: Instant) -> int:
        """Removes all but the `keep` newest ones; returns how many."""
