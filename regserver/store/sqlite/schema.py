"""Migration of the file's schema, and the way back.

migrate    regserver.db of 14 → a copy, regserver.db.before-16 → regserver.db of 16
roll_back  regserver.db of 16 → set aside as regserver.db.old; regserver.db.before-16 → regserver.db of 14
"""

import logging
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from regserver.owner import create_private
from regserver.ports.store import StoreFault
from regserver.store import migration
from regserver.store.sqlite.aside import set_aside
from regserver.store.sqlite.connection import connect
from regserver.store.sqlite.copy import copy_database, inspect_database
from regserver.store.sqlite.file_fault import store_fault

WORDS = {"identity": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB", "sqlite": ""}

log = logging.getLogger("regserver.store")


def kept_copy(path: Path, version: int) -> Path:
    """The copy of a database from before it came to this version of the schema."""
    return path.with_name(f"{path.name}.before-{version}")


def migrate(path: Path, now: int) -> int:
    """Updates the schema and returns its version; creates the file if it is missing. Raises StoreFault.

    A database that has a schema already is copied first. now: milliseconds since 1970, recorded with each migration.
    """
    try:
        # An existing file is not opened here: closing it would release the locks of every connection of this process to it.
        with suppress(FileExistsError), open(create_private(path), "rb"):
            pass
        with closing(connect(path)) as connection:
            connection.execute(migration.VERSION_TABLE)
            # Or a table that others refer to could not be written anew. They are checked in the end instead.
            connection.execute("PRAGMA foreign_keys=OFF")
            # Locked before the version is read: of two servers that start at once, the second finds nothing to do.
            connection.execute("BEGIN IMMEDIATE")
            version = _version(connection)
            steps = migration.pending(version)
            if steps and version:
                _keep_copy(path, version, steps[-1].number)
            for step in steps:
                _apply(connection, step, now)
            if steps and (wrong := connection.execute("PRAGMA foreign_key_check").fetchone()):
                raise StoreFault(f"{path}: a row of {wrong[0]} refers to one of {wrong[2]} that is not there")
            connection.execute("COMMIT")
            return steps[-1].number if steps else version
    except (OSError, sqlite3.Error) as error:
        raise store_fault(path, error) from error


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute(migration.CURRENT_VERSION).fetchone()[0] or 0)


def _apply(connection: sqlite3.Connection, step: migration.Migration, now: int) -> None:
    for statement in step.statements(WORDS):
        connection.execute(statement)
    connection.execute(migration.REMEMBER, (step.number, step.name, now))


def _keep_copy(path: Path, version: int, newest: int) -> None:
    """The caller holds the write lock, so the copy is what is migrated. An earlier one of the same name is replaced."""
    copy = kept_copy(path, newest)
    log.info("%s: schema version %d becomes %d; it is kept as it is in %s", path, version, newest, copy.name)
    draft = copy.with_name(f"{copy.name}.draft")
    draft.unlink(missing_ok=True)  # of a process that was killed
    try:
        copy_database(path, draft)
        draft.replace(copy)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def roll_back(path: Path) -> tuple[int, Path]:
    """Goes back to the copy from before the last migration; returns its version and where the present file went.

    The caller holds the file's lock. Raises StoreFault, and then nothing is changed.
    """
    version = inspect_database(path)
    copy = kept_copy(path, version)
    if not copy.is_file():
        raise StoreFault(f"{copy}: no such file; there is no copy from before schema version {version}")
    older = inspect_database(copy)
    try:
        old = set_aside((path,))[0]
        copy.replace(path)
    except OSError as error:
        raise store_fault(path, error) from error
    return older, old


def require_newest(path: Path) -> None:
    """Raises StoreFault unless the schema is the one that this program works with. Changes nothing."""
    try:
        with closing(connect(path, read_only=True)) as connection:
            version = _version(connection)
    except sqlite3.Error as error:
        raise store_fault(path, error) from error
    if steps := migration.pending(version):
        raise StoreFault(
            f"{path}: schema version {version}, and this program needs {steps[-1].number}: start the server, which"
            " updates it, or run `regserver migrate`"
        )
