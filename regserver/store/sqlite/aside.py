"""Renaming what is there before something else takes its place: nothing is deleted, and no earlier copy is replaced."""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from regserver.store.sqlite.copy import close_database, log_file


def set_aside(files: Sequence[Path]) -> list[Path]:
    """Renames files, the first a database, to `.old`, or `.old2` and so on; returns where each went, if it was there.

    Raises StoreFault while another program has the database open, OSError.
    """
    database = files[0]
    log = log_file(database)
    if database.exists():
        # A damaged database keeps its log, under a name by which SQLite finds it again.
        with suppress(sqlite3.DatabaseError):
            close_database(database)
    # The log goes first: SQLite would apply it to the new database.
    parts = [path for path in (log, *files) if path.exists()]
    old = next(word for word in _old() if not any(_aside(path, database, word).exists() for path in parts))
    for path in parts:
        path.replace(_aside(path, database, old))
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)  # an index of the log
    return [_aside(path, database, old) for path in files if path in parts]


def _aside(path: Path, database: Path, old: str) -> Path:
    """Where a file goes: `x.db` to `x.db.old`, and its log `x.db-wal` to `x.db.old-wal`."""
    if path == log_file(database):
        return log_file(database.with_name(database.name + old))
    return path.with_name(path.name + old)


def _old() -> Iterator[str]:
    """`.old`, `.old2`, `.old3`, …"""
    yield ".old"
    yield from (f".old{number}" for number in itertools.count(2))
