"""Moving a store from SQLite to PostgreSQL.

    for each table, what is referred to first:  rows → COPY, by portions; each commits with a note of how far it is
    then for each table:                        number of rows and checksum of both → equal, or StoreFault
    at last:                                    the next ids, and the notes go

What was stopped goes on from the notes. While they are there no server opens the database. A checksum is the sum of the
hashes of all rows, so it needs no order. PostgreSQL cannot write U+0000: in texts it becomes U+FFFD. All of this blocks.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from regserver.ports.store import StoreFault
from regserver.store import migration
from regserver.store.sqlite.connection import connect
from regserver.store.sqlite.schema import WORDS, require_newest

PORTION: Final = 2000
"""Rows that are written in one transaction."""
NOTES: Final = "store_copy"
OWN: Final = frozenset({"migration"})
"""Tables that the target has by itself."""
_Row = tuple[Any, ...]
Target = psycopg.Connection[_Row]
CopyProgress = Callable[[str, int], None]
"""Called with a table and the number of its rows that are written."""
_encode = msgspec.msgpack.Encoder().encode


class CopiedTable(msgspec.Struct, frozen=True):
    """One table that is the same on both sides. checksum: in hex. replaced: texts in which U+0000 was replaced."""

    name: str
    rows: int
    checksum: str
    replaced: int


class SourceTable(msgspec.Struct, frozen=True):
    """A table of the file. refers: the tables of its foreign keys."""

    name: str
    columns: tuple[str, ...]
    refers: frozenset[str]


def copy_store(
    source: Path, words: str, progress: CopyProgress, portion: int = PORTION
) -> Iterator[CopiedTable]:
    """Copies the file into a migrated database, or goes on with it; yields each table once it is verified.

    The caller holds the file, and has seen that the database is empty. words: what libpq connects by. portion: rows in a transaction. Raises StoreFault.
    """
    require_newest(source)
    with closing(connect(source, read_only=True)) as origin, _opened(words) as target:
        tables = list(_in_order(origin))
        _begin(target, tables)
        for table in tables:
            _copy_table(origin, target, table, progress, portion)
        for table in tables:
            yield _verify(origin, target, table)
        _finish(origin, target)


def require_empty(source: Path, words: str) -> None:
    """Raises StoreFault if a table of ours has rows in the target, unless an unfinished copy has written them."""
    with closing(connect(source, read_only=True)) as origin, _opened(words) as target:
        present = {
            row[0]
            for row in target.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        }
        if NOTES in present:
            return
        first = _first_rows()
        for table in _in_order(origin):
            if table.name not in present:
                continue
            found = target.execute(_reading(table, SQL(" LIMIT 1000"))).fetchall()
            if found and found != first[table.name]:
                raise StoreFault(f"the target is not empty: its table {table.name} has rows")


def _first_rows() -> dict[str, list[_Row]]:
    """By table, the rows of a store that nobody has used yet: those that migrations write."""
    with closing(sqlite3.connect(":memory:")) as empty:
        for step in migration.migrations():
            for statement in step.statements(WORDS):
                empty.execute(statement)
        tables = list(_in_order(empty))
        return {
            table.name: empty.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}").fetchall()  # noqa: S608
            for table in tables
        }


def _reading(table: SourceTable, end: SQL = SQL("")) -> Composed:  # noqa: B008
    columns = SQL(", ").join(map(Identifier, table.columns))
    return SQL("SELECT {} FROM {}").format(columns, Identifier(table.name)) + end


def forget_copy(words: str) -> bool:
    """Removes everything that an unfinished copy has written; False if there is none. Raises StoreFault."""
    with _opened(words) as target, target.transaction():
        if not _has_notes(target):
            return False
        names = [row[0] for row in target.execute(f"SELECT name FROM {NOTES}")]  # noqa: S608
        target.execute(SQL("TRUNCATE {}").format(SQL(", ").join(map(Identifier, names))))
        target.execute(f"DROP TABLE {NOTES}")
        for name, rows in _first_rows().items():
            for row in rows:
                values = SQL(", ").join(map(Literal, row))
                target.execute(SQL("INSERT INTO {} VALUES ({})").format(Identifier(name), values))
        return True


@contextmanager
def _opened(words: str) -> Iterator[Target]:
    try:
        with psycopg.connect(words, autocommit=True) as target:
            target.execute("SET client_min_messages = 'error'")
            yield target
    except psycopg.Error as error:
        raise StoreFault(f"PostgreSQL: {_line(error)}") from None


def _line(error: psycopg.Error) -> str:
    """Without the server's detail, which has values."""
    return error.diag.message_primary or str(error).strip().partition("\n")[0]


# --- what is copied
def _in_order(origin: sqlite3.Connection) -> Iterable[SourceTable]:
    """All tables, those that others refer to first."""
    names = origin.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    tables = {name: _read_table(origin, name) for (name,) in names.fetchall() if name not in OWN}
    order = TopologicalSorter({name: table.refers for name, table in tables.items()}).static_order()
    return [tables[name] for name in order]


def _read_table(origin: sqlite3.Connection, name: str) -> SourceTable:
    columns = tuple(row[1] for row in origin.execute(f"PRAGMA table_info({name})"))
    refers = frozenset(row[2] for row in origin.execute(f"PRAGMA foreign_key_list({name})"))
    return SourceTable(name, columns, refers)


def _begin(target: Target, tables: Sequence[SourceTable]) -> None:
    """Makes the notes, or takes up those that are there."""
    with target.transaction():
        if _has_notes(target):
            return
        target.execute(f"CREATE TABLE {NOTES} (name TEXT PRIMARY KEY, after BIGINT NOT NULL)")
        for table in tables:
            target.execute(f"INSERT INTO {NOTES} VALUES (%s, 0)", (table.name,))  # noqa: S608
        for name in reversed([table.name for table in tables]):  # what migrations have written
            target.execute(SQL("DELETE FROM {}").format(Identifier(name)))


def _has_notes(target: Target) -> bool:
    return bool(_first(target, f"SELECT to_regclass('{NOTES}') IS NOT NULL"))


def _first(target: Target, statement: Any, parameters: Sequence[object] = ()) -> Any:
    row = target.execute(statement, parameters).fetchone()
    return None if row is None else row[0]


# --- copying
def _copy_table(
    origin: sqlite3.Connection, target: Target, table: SourceTable, progress: CopyProgress, portion: int
) -> None:
    after = int(_first(target, f"SELECT after FROM {NOTES} WHERE name = %s", (table.name,)))  # noqa: S608
    columns = ", ".join(table.columns)
    statement = f"SELECT rowid, {columns} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608
    into = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table.name), SQL(", ").join(map(Identifier, table.columns))
    )
    written = 0
    while rows := origin.execute(statement, (after, portion)).fetchall():
        with target.transaction():
            with target.cursor().copy(into) as copy:
                for row in rows:
                    copy.write_row(_writable(row[1:]))
            after = rows[-1][0]
            target.execute(f"UPDATE {NOTES} SET after = %s WHERE name = %s", (after, table.name))  # noqa: S608
        written += len(rows)
        progress(table.name, written)


def _writable(row: _Row) -> _Row:
    return tuple(
        [cell.replace("\0", "\ufffd") if isinstance(cell, str) and "\0" in cell else cell for cell in row]
    )


# --- verifying
def _verify(origin: sqlite3.Connection, target: Target, table: SourceTable) -> CopiedTable:
    """Reads both sides whole. Raises StoreFault where they differ."""
    replaced = 0

    def source() -> Iterator[_Row]:
        nonlocal replaced
        for row in origin.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}"):  # noqa: S608
            writable = _writable(row)
            replaced += sum(one != other for one, other in zip(row, writable, strict=True))
            yield writable

    wanted = _sum(source())
    with target.transaction(), target.cursor(f"{NOTES}_{table.name}") as cursor:
        cursor.itersize = PORTION
        found = _sum(cursor.execute(_reading(table)))
    if found != wanted:
        raise StoreFault(
            f"{table.name}: {found[0]} rows with checksum {found[1][:16]}, and the source has {wanted[0]} with"
            f" {wanted[1][:16]}: one of both was changed meanwhile; begin again with --anew"
        )
    return CopiedTable(table.name, *wanted, replaced)


def _sum(rows: Iterable[_Row]) -> tuple[int, str]:
    """The number of rows and the sum of their hashes."""
    count = total = 0
    for row in rows:
        total += int.from_bytes(hashlib.sha256(_encode(row)).digest())
        count += 1
    return count, f"{total % (1 << 256):064x}"


# --- the end
def _finish(origin: sqlite3.Connection, target: Target) -> None:
    """No id is given twice, not even one of a row that is gone: SQLite has kept the last one of each table."""
    with target.transaction():
        for name, last in origin.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
            if last:
                target.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (name, last))
        target.execute(f"DROP TABLE {NOTES}")
    target.execute("ANALYZE")
