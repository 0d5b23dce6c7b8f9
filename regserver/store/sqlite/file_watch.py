"""What may happen to the database's file while it is in use: it is moved, removed or replaced, or its disk ends.

SQLite notices none of this. It goes on writing to the files that it has opened, which have no name any more, and what it
acknowledges then is lost with the process.
"""

import os
from pathlib import Path

import msgspec

from regserver.store.sqlite.copy import log_file

_MIB = 1024 * 1024


class FilePolicy(msgspec.Struct, frozen=True):
    """busy_timeout_ms: how long a write waits for another program's lock. min_free: bytes of the disk that stay free."""

    busy_timeout_ms: int = 10_000
    min_free: int = 0


class FileWatch:
    """Compares the open files with their paths, and the free space with the policy. Used by one thread."""

    def __init__(self, path: Path, policy: FilePolicy) -> None:
        """path: of the database, which is open."""
        # SQLite follows a symbolic link, too, and its log lies beside the file that the link names.
        self._path = path.resolve()
        self._log = log_file(self._path)
        self._min_free = policy.min_free
        self._known: dict[Path, tuple[int, int]] = {}
        self.moved = False

    def look(self) -> str | None:
        """The fault that forbids writing, for the operator; None if there is none. Also sets `moved`."""
        try:
            gone = next((part for part in (self._path, self._log) if not self._in_place(part)), None)
            self.moved = gone is not None
            return self._disk_fault() if gone is None else _moved(gone)
        except OSError as error:
            return f"{self._path}: {error.strerror}"

    def _in_place(self, part: Path) -> bool:
        """Whether the path still leads to the file that was there at the first look. The log appears with the first use."""
        try:
            found = os.stat(part)
        except FileNotFoundError:
            return part not in self._known
        identity = (found.st_dev, found.st_ino)
        return self._known.setdefault(part, identity) == identity

    def _disk_fault(self) -> str | None:
        disk = os.statvfs(self._path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return f"{self._path}: the file system is read-only"
        free = disk.f_bavail * disk.f_frsize
        if free < self._min_free:
            return (
                f"{self._path.parent}: only {free // _MIB} MiB of the disk are free, and store.min_free is"
                f" {self._min_free // _MIB} MiB: free some, or lower it"
            )
        return None


def _moved(part: Path) -> str:
    return (
        f"{part} was moved, removed or replaced while the server runs: put it back, or stop the server and restore"
        f" a backup (until then /proc/{os.getpid()}/fd still has the file)"
    )
