"""Connections to the file, and the execution of the repositories' statements."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from regserver.ports.transaction import Lock, LockKey
from regserver.store.sql.statement import F, Kept
from regserver.store.sqlite.kept_rows import KeptRows

BUSY_TIMEOUT_MS = 10_000
"""Of commands. The server's is store.busy_timeout."""
CHECKPOINT_PAGES = 4000
CACHE_KIB = 16 * 1024  # the inner pages of all indexes of a million posts


def connect(
    path: Path, *, read_only: bool = False, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> sqlite3.Connection:
    """A connection with the server's settings, for use by one thread at a time. Raises sqlite3.Error.

    busy_timeout_ms: how long a statement waits for another program's lock.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten with zeros, so that nothing of an erased account stays in the file.
    connection.execute("PRAGMA secure_delete=ON")
    # A checkpoint makes its commit wait for the disk twice more; with 16 MB of log, one commit in a few hundred.
    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


class SqliteSql:
    """Executes statements on one connection, in the caller's thread. Its coroutines never suspend.

    memory: of the writer; None for a connection that reads.
    """

    def __init__(self, connection: sqlite3.Connection, memory: KeptRows | None = None) -> None:
        self._memory = memory
        self._execute = connection.execute if memory is None else memory.execute
        self._execute_many = connection.executemany if memory is None else memory.execute_many

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """Does nothing: there is one writer, so units run one after another."""

    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """Steps the statement once."""
        found: tuple[Any, ...] | None = self._execute(statement, parameters).fetchone()
        return found

    async def kept(self, kept: Kept[F], *parameters: object) -> F | None:
        """Runs the statement where the memory does not have its answer. No row is nothing to keep: strangers could fill it."""
        memory = self._memory
        if memory is not None and (known := memory.get(kept, parameters)) is not None:
            return cast("F", known)
        row = self._execute(kept.text, parameters).fetchone()
        if row is None:
            return None
        found = kept.read(row)
        if memory is not None:
            memory.keep(kept, parameters, found)
        return found

    async def value(self, statement: str, *parameters: object) -> Any:
        """Reads the first row, as `row` does."""
        found = self._execute(statement, parameters).fetchone()
        return None if found is None else found[0]

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Fetches all rows, so that no cursor outlives the call."""
        return self._execute(statement, parameters).fetchall()

    async def run(self, statement: str, *parameters: object) -> int:
        """Returns the cursor's rowcount."""
        return self._execute(statement, parameters).rowcount

    async def insert(self, statement: str, *parameters: object) -> int:
        """Without RETURNING, which would cost a second step."""
        return self._execute(statement, parameters).lastrowid or 0

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """Prepares the statement once."""
        self._execute_many(statement, parameters)
