"""Migration of the file's schema."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from regserver.ports.store import StoreFault
from regserver.store import migration
from regserver.store.sqlite.connection import connect

WORDS = {"identity": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB", "sqlite": ""}


def migrate(path: Path, now: int) -> int:
    """Updates the schema and returns its version; creates the file if it is missing. Raises StoreFault.

    now: milliseconds since 1970, recorded with each migration.
    """
    try:
        # Only its owner may read the file, since it contains password hashes. An existing file is not opened here:
        # closing it would release the locks of every connection of this process to it.
        with suppress(FileExistsError):
            path.touch(0o600, exist_ok=False)
        with closing(connect(path)) as connection:
            connection.execute(migration.VERSION_TABLE)
            # Or a table that others refer to could not be written anew. They are checked in the end instead.
            connection.execute("PRAGMA foreign_keys=OFF")
            # Locked before the version is read: of two servers that start at once, the second finds nothing to do.
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute(migration.CURRENT_VERSION).fetchone()
            for step in (steps := migration.pending(version or 0)):
                for statement in step.statements(WORDS):
                    connection.execute(statement)
                connection.execute(migration.REMEMBER, (step.number, step.name, now))
                version = step.number
            if steps and (wrong := connection.execute("PRAGMA foreign_key_check").fetchone()):
                raise StoreFault(f"{path}: a row of {wrong[0]} refers to one of {wrong[2]} that is not there")
            connection.execute("COMMIT")
            return int(version)
    except OSError as error:
        raise StoreFault(f"{path}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise StoreFault(f"{path}: {error}") from error
