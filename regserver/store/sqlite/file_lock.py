"""The lock of a database file: one server at a time, and no restore or migration under a running one.

    serve, restore, migrate → held(database) → flock on regserver.db-lock, which names the holder → released with the process

The lock is on a file of its own. SQLite's locks are on the database, and a process that closes any descriptor of that file
loses all of them. The kernel releases an flock when its process ends, by kill -9 too, so a file that is left over stops
nobody. It is never removed: somebody else may have opened it already.

Behind the holder's name a server writes where it listens, so that commands find it whatever the configuration says by then.
"""

import fcntl
import os
import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regserver.owner import create_private, explain_refusal, leave_to
from regserver.ports.store import StoreFault

_HOLDER_BYTES = 300
_ADDRESS_BYTES = 8192
_SERVES = "serves "
_HOLDER = re.compile(r"process (?P<process>[1-9][0-9]{0,6}) on (?P<host>\S+) since ", re.ASCII)


def lock_file(database: Path) -> Path:
    """The lock's file. It lies beside the file that a symbolic link `database` names, so that both names share it."""
    place = database.resolve()
    return place.with_name(f"{place.name}-lock")


def make_folder(database: Path) -> None:
    """Makes the folder of a database, for its owner alone, where there is none. Raises StoreFault."""
    missing = [folder for folder in (database.parent, *database.parent.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(0o700, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                leave_to(descriptor, os.stat(folder.parent))
            finally:
                os.close(descriptor)
    except OSError as error:
        refusal = explain_refusal(database)
        raise StoreFault(f"{database}: its folder cannot be made: {error.strerror}{refusal}") from None


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Holds the lock. Raises StoreFault, with the holder's name, when another process has it."""
    path = lock_file(database)
    try:
        descriptor = _open(path)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}{explain_refusal(path)}") from None
    try:
        _take(descriptor, database)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """The file is written to, so root must not follow a link that the owner of the folder has laid."""
    with suppress(FileExistsError):
        return create_private(path)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)


def _take(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        line = os.read(descriptor, _HOLDER_BYTES).decode("utf-8", "replace").partition("\n")[0]
        holder = line.strip() or "another process"
        raise StoreFault(
            f"{database}: in use by {holder}; stop that first; only one process at a time may serve, restore or migrate it"
        ) from None
    except OSError as error:
        raise StoreFault(f"{database}: cannot be locked: {error.strerror}") from None
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()} since {since}\n".encode(), 0)


def note_addresses(database: Path, addresses: Iterable[str]) -> None:
    """Writes where this process, which holds the lock, listens: a line for each address. Raises OSError."""
    descriptor = os.open(lock_file(database), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{_SERVES}{address}\n" for address in addresses)


def noted_addresses(database: Path) -> tuple[str, ...]:
    """What the newest holder wrote; none where it was no server, or was killed on this machine."""
    try:
        descriptor = os.open(lock_file(database), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ()
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        lines = file.read(_ADDRESS_BYTES).splitlines()
    if lines and _was_killed(lines[0]):
        return ()
    return tuple(line.removeprefix(_SERVES) for line in lines if line.startswith(_SERVES))


def _was_killed(holder: str) -> bool:
    """Whether the holder, by its line in the file, is no process any more. To try the lock would keep a server from starting."""
    named = _HOLDER.match(holder)
    if named is None or named["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(named["process"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is somebody else's
        return False
    return False
