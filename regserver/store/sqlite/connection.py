"""Connections to the file, and the statements of the repositories on one of them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from regserver.ports.transaction import Lock, LockKey

BUSY_TIMEOUT_MS = 10_000
CHECKPOINT_PAGES = 4000
CACHE_KIB = 16 * 1024  # the inner pages of all indexes of a million posts


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection as the server uses it; may be handed to another thread once. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A checkpoint makes a commit wait for the disk twice more; with 16 MB of log that is every few hundred commits.
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


class SqliteSql:
    """Runs statements on one connection, in the thread that calls. Its coroutines never suspend."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._execute_many = connection.executemany

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """Nothing: there is one writer, so units run one after another anyway."""

    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """Steps the statement once."""
        return cast("tuple[Any, ...] | None", self._execute(statement, parameters).fetchone())

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Fetches everything: nothing of a cursor outlives the call."""
        return self._execute(statement, parameters).fetchall()

    async def run(self, statement: str, *parameters: object) -> int:
        """The count of rows is what SQLite calls changes."""
        return self._execute(statement, parameters).rowcount

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """Prepares the statement once."""
        self._execute_many(statement, parameters)
