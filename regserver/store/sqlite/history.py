"""No start on an empty store where there must have been a filled one.

A server whose database was moved or removed would otherwise begin anew beside the old key, and the new store would
overwrite the log (the file -wal) that holds the newest part of the old one.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from regserver.ports.store import StoreFault
from regserver.store.sqlite.copy import log_file

_WAY_OUT = "restore it, or a backup, with `regserver restore`; to begin anew, move {other} away first"


def refuse_lost(database: Path, key: Path) -> None:
    """Raises StoreFault if the database is missing or empty while its log or the server's key are there.

    The key is a sign of history because the first start writes the database before it.
    """
    if _is_filled(database):
        return
    log = log_file(database.resolve())
    if not _bytes(database) and _bytes(log):
        raise StoreFault(f"{database} is missing, but its log {log} is there: {_WAY_OUT.format(other=log)}")
    if key.exists():
        raise StoreFault(
            f"{database} is missing or empty, but the server's key {key} is there, so there was one: "
            + _WAY_OUT.format(other=key)
        )


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_filled(database: Path) -> bool:
    """Whether a server has written its schema; a file that cannot be read is for the migration to complain about."""
    if not _bytes(database):
        return False
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'migration'").fetchone()
    except sqlite3.Error:
        return True
    return found is not None
