"""A dump of the database, by pg_dump, as of one moment; and the way back, by pg_restore and psql, in one transaction.

Our tables alone are dumped and replaced: the database may have others. All of this blocks.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from regserver.ports.store import StoreFault
from regserver.ports.store_dump import DumpFacts, StillWanted, StoreDump
from regserver.store import migration
from regserver.store.postgres.client_program import run_program
from regserver.store.sql.erasure_rows import TRACES

MEMBER: Final = "regserver.pgdump"
TABLES: Final = tuple(sorted(trace.table for trace in TRACES))
"""All of ours."""
LEDGER_END: Final = "SELECT number, encode(hash, 'hex') FROM ledger_journal ORDER BY number DESC LIMIT 1"
OTHERS: Final = (
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name LIKE 'regserver %' AND pid <> pg_backend_pid() ORDER BY 1"
)
PRESENT: Final = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY(%s)"

_Row = tuple[Any, ...]


class PostgresDump(StoreDump):
    """Dumps one database. words: what libpq connects by."""

    member = MEMBER

    def __init__(self, words: str) -> None:
        self._words = words

    def size(self) -> int:
        """That of the tables, which is more than the dump's, since that is compressed. Raises StoreFault."""
        with _connected(self._words) as connection:
            statement = "SELECT sum(pg_table_size(tablename::regclass)) FROM pg_tables WHERE schemaname = current_schema()"
            row = connection.execute(statement).fetchone()
            return int(row[0] or 0) if row else 0

    def write(self, target: Path, alive: StillWanted) -> DumpFacts:
        """Writes a dump in pg_dump's custom format. Raises StoreFault, and what `alive` raises."""
        with _connected(self._words) as connection, connection.transaction():
            # What the facts are read from, and what is dumped, is one snapshot.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute("SET idle_in_transaction_session_timeout = 0")
            facts = _facts(connection)
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            tables = [f"--table={name}" for name in _present(connection)]
            given = (
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                f"--file={target}",
            )
            run_program("pg_dump", self._words, (*given, *tables), alive)
        return facts


def inspect_dump(path: Path) -> DumpFacts:
    """What a dump has. Raises StoreFault unless it is whole, and of a schema that is known."""
    run_program("pg_restore", "", ("--file=/dev/null", str(path)))
    version = max((int(row["number"]) for row in _rows(path, "migration")), default=0)
    migration.pending(version)
    last: Mapping[str, str] = {"number": "0", "hash": ""}
    for row in _rows(path, "ledger_journal"):
        last = max(last, row, key=lambda each: int(each["number"]))
    return DumpFacts(version, int(last["number"]), last["hash"].removeprefix(r"\\x"))


def restore_dump(words: str, path: Path, *, replace: bool) -> DumpFacts:
    """Writes a dump into a database that nobody has open: all of it, or nothing. Raises StoreFault.

    replace: whether tables that are there are dropped first, in the same transaction.
    """
    facts = inspect_dump(path)
    drops, script = path.with_name("drop.sql"), path.with_name("restore.sql")
    with _connected(words) as connection:
        present = _present(connection)
    if present and not replace:
        raise StoreFault("the database has tables already; use --force to replace them")
    drops.write_text("".join(f"DROP TABLE {name} CASCADE;\n" for name in present))
    run_program("pg_restore", "", (f"--file={script}", "--no-owner", "--no-privileges", str(path)))
    given = ("--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    run_program("psql", words, (*given, f"--file={drops}", f"--file={script}"))
    return facts


def refuse_connected(words: str, patience: float = 3) -> None:
    """Raises StoreFault while a server or another command of ours has the database open.

    patience: seconds that they have to be gone, since PostgreSQL ends a connection a moment after its client did.
    """
    until = time.monotonic() + patience
    with _connected(words) as connection:
        while others := [row[0] for row in connection.execute(OTHERS)]:
            if time.monotonic() > until:
                raise StoreFault(f"{', '.join(others)}: connected to this database; stop the servers first")
            time.sleep(0.1)


def is_empty(words: str) -> bool:
    """Whether the database has none of our tables. Raises StoreFault."""
    with _connected(words) as connection:
        return not _present(connection)


@contextmanager
def _connected(words: str) -> Iterator["psycopg.Connection[_Row]"]:
    try:
        with psycopg.connect(words, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise StoreFault(f"PostgreSQL: {str(error).strip().partition(chr(10))[0]}") from None


def _present(connection: "psycopg.Connection[_Row]") -> list[str]:
    return sorted(row[0] for row in connection.execute(PRESENT, (list(TABLES),)))


def _facts(connection: "psycopg.Connection[_Row]") -> DumpFacts:
    row = connection.execute(migration.CURRENT_VERSION).fetchone()
    end = connection.execute(LEDGER_END).fetchone() or (0, "")
    return DumpFacts(int(row[0] or 0) if row else 0, int(end[0]), str(end[1]))


def _rows(path: Path, table: str) -> Iterator[dict[str, str]]:
    """The rows of one table in a dump, as COPY writes them."""
    script = path.with_name(f"{table}.sql")
    run_program("pg_restore", "", ("--data-only", f"--table={table}", f"--file={script}", str(path)))
    names: list[str] = []
    with script.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if line == "\\.\n":
                names = []
            elif names:
                yield dict(zip(names, line.rstrip("\n").split("\t"), strict=True))
            elif line.startswith("COPY "):
                names = line.partition("(")[2].partition(")")[0].split(", ")
    script.unlink()
