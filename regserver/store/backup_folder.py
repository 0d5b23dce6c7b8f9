"""The folder of the backups that the server makes: regserver-20260131T040506Z.tar, named by their time (UTC).

Only files with such names are listed and removed, so other archives may lie beside them.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from regserver.domain.instant import Instant
from regserver.ports.backup import BackupFault, BackupFile, Backups
from regserver.ports.store import StoreFault
from regserver.ports.store_dump import StillWanted
from regserver.store.archive import ArchiveParts, write_file
from regserver.store.draft import sweep
from regserver.store.sqlite.file_lock import make_folder

_NAME = re.compile(r"regserver-(\d{8}T\d{6})Z\.tar", re.ASCII)
_TIME = "%Y%m%dT%H%M%S"


class BackupFolder(Backups):
    """One folder. parts: what goes into a backup; None only lists them."""

    def __init__(self, folder: Path, parts: ArchiveParts | None = None) -> None:
        self._folder = folder
        self._parts = parts

    def newest(self, now: Instant) -> BackupFile | None:
        """The one with the latest time in its name. Raises BackupFault."""
        return next(iter(self._list(now)), None)

    def make(self, at: Instant, alive: StillWanted) -> BackupFile:
        """Writes an archive, and removes what killed ones have left. Raises BackupFault, and what `alive` raises."""
        assert self._parts is not None  # noqa: S101  (who only lists makes none)
        name = f"regserver-{datetime.fromtimestamp(at // 1000, UTC):{_TIME}}Z.tar"
        target = self._folder / name
        try:
            make_folder(target)
            write_file(self._parts, target, alive)
            return BackupFile(name, at, target.stat().st_size)
        except StoreFault as fault:
            raise BackupFault(str(fault)) from None
        except OSError as error:
            raise BackupFault(f"{target}: {error.strerror}") from None

    def prune(self, keep: int, now: Instant) -> int:
        """Removes the oldest ones. Raises BackupFault."""
        old = self._list(now)[keep:]
        try:
            for file in old:
                (self._folder / file.name).unlink(missing_ok=True)
            sweep(self._folder)
        except OSError as error:
            raise BackupFault(f"{error.filename}: {error.strerror}") from None
        return len(old)

    def _list(self, now: Instant) -> list[BackupFile]:
        """Those up to now, the newest first."""
        try:
            found = [file for file in self._found() if file.at <= now]
            return sorted(found, key=lambda file: file.at, reverse=True)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BackupFault(f"{self._folder}: {error.strerror}") from None

    def _found(self) -> Iterator[BackupFile]:
        for path in self._folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                try:
                    at = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
                except ValueError:  # digits that are no time
                    continue
                yield BackupFile(path.name, Instant(int(at.timestamp()) * 1000), path.stat().st_size)
