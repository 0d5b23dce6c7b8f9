"""Copies of the database file, also while the server runs, and the check of a copy."""

import sqlite3
from contextlib import closing
from pathlib import Path

from regserver.owner import create_private, take_over
from regserver.ports.store import StoreFault
from regserver.ports.store_dump import StillWanted
from regserver.store import migration
from regserver.store.sqlite.connection import connect
from regserver.store.sqlite.file_fault import store_fault

_MAGIC = b"SQLite format 3\0"


_STEP_PAGES = 1000


def copy_database(source: Path, target: Path, alive: StillWanted = lambda: None) -> None:
    """Writes a copy of `source`, as of one moment, to the new file `target`. Raises StoreFault, and what `alive` raises.

    By SQLite's online backup: writers do not wait, and the copy needs no journal file. It gets the owner and the mode of the
    database.
    """
    if not source.is_file():
        raise StoreFault(f"{source}: No such file or directory")
    try:
        with open(create_private(target), "rb") as file:
            take_over(file.fileno(), source)
    except OSError as error:
        raise store_fault(target, error) from None
    try:
        with closing(connect(source, read_only=True)) as origin, closing(sqlite3.connect(target)) as copy:
            # One read transaction for all steps. Otherwise each commit of the server would begin the copy anew.
            origin.execute("BEGIN")
            origin.execute("SELECT count(*) FROM sqlite_schema")
            copy.execute("PRAGMA synchronous=OFF")  # whoever wants it durable syncs the whole file once
            origin.backup(copy, pages=_STEP_PAGES, progress=lambda *_: alive())
    except sqlite3.Error as error:
        raise store_fault(source, error) from error


def ledger_end(path: Path) -> tuple[int, str]:
    """The number and the hash, in hex, of the last entry of the ledger's journal; 0 and "" when there is none."""
    newest = "SELECT number, hash FROM ledger_journal ORDER BY number DESC LIMIT 1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute(newest).fetchone()
        except sqlite3.OperationalError:  # older than the journal
            row = None
    return (0, "") if row is None else (row[0], row[1].hex())


def log_file(database: Path) -> Path:
    """Where SQLite keeps the log of a database."""
    return database.with_name(f"{database.name}-wal")


def close_database(path: Path) -> None:
    """Folds the log (the file -wal) into the database, so that the file is whole by itself.

    A file that is no database is left alone: SQLite would delete its log. Raises StoreFault while another program has it
    open, and sqlite3.DatabaseError if it is damaged.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as error:
            raise StoreFault(f"{path}: {error}: another program has it open") from None
    if mode != "delete":
        raise StoreFault(f"{path}: its log cannot be folded in")


def inspect_database(path: Path) -> int:
    """Checks that the file is whole and its schema is known; returns the schema's version. Raises StoreFault."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreFault(f"{path}: damaged: {' '.join(verdict.splitlines())}")
            (version,) = connection.execute(migration.CURRENT_VERSION).fetchone()
    except sqlite3.Error as error:
        raise store_fault(path, error) from error
    migration.pending(version or 0)
    return int(version or 0)
