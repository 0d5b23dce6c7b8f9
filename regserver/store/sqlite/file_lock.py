"""The lock of a database file: one server at a time, and no restore under a running one.

    serve, restore → held(database) → flock on regserver.db-lock, which names the holder → released with the process

The lock is on a file of its own. SQLite's locks are on the database, and a process that closes any descriptor of that file
loses all of them. The kernel releases an flock when its process ends, by kill -9 too, so a file that is left over stops
nobody. It is never removed: somebody else may have opened it already.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regserver.ports.store import StoreFault

_HOLDER_BYTES = 300


def lock_file(database: Path) -> Path:
    """The lock's file. It lies beside the file that a symbolic link `database` names, so that both names share it."""
    place = database.resolve()
    return place.with_name(f"{place.name}-lock")


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Holds the lock. Raises StoreFault, with the holder's name, when another process has it."""
    path = lock_file(database)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}") from None
    try:
        _take(descriptor, database)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, _HOLDER_BYTES).decode("utf-8", "replace").strip() or "another process"
        raise StoreFault(
            f"{database}: in use by {holder}; one server at a time may use it: stop that one first"
        ) from None
    except OSError as error:
        raise StoreFault(f"{database}: cannot be locked: {error.strerror}") from None
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode(), 0)
