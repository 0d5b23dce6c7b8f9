"""The way from SQLite to PostgreSQL: every row of every table, also after an interruption, and never over other rows."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trio

from regserver.ports.store import StoreFault
from regserver.store.postgres import migrate_postgres, open_postgres
from regserver.store.sqlite import connect, migrate
from regserver.store.store_copy import copy_store, forget_copy, require_empty
from tests.cli.shell import Shell
from tests.fake import EPOCH
from tests.peer.postgres import Cluster
from tests.store.test_upgrade import NEWEST, fill, tables

NUL = "a\0b"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A file with rows in every table, one of them with a NUL."""
    path = tmp_path / "test.db"
    fill(path, NEWEST)
    migrate(path, EPOCH)
    with closing(connect(path)) as connection:
        connection.execute("UPDATE room SET name = ? WHERE id = (SELECT min(id) FROM room)", (NUL,))
    return path


def rows_there(place: str, columns: tuple[str, ...], name: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(place) as target:
        return target.execute(f"SELECT {', '.join(columns)} FROM {name}".encode()).fetchall()  # noqa: S608


def hold_equal(path: Path, place: str) -> None:
    for name, (columns, rows) in tables(path).items():
        wanted = [tuple("a\ufffdb" if cell == NUL else cell for cell in row) for row in rows]
        assert wanted, name
        assert sorted(map(repr, rows_there(place, columns, name))) == sorted(map(repr, wanted)), name


async def test_every_row_is_there_and_no_id_is_given_twice(
    filled: Path, cluster: Cluster, shell: Shell
) -> None:
    name = cluster.create_database()
    with closing(connect(filled)) as connection:
        connection.execute("DELETE FROM passkey WHERE id = (SELECT max(id) FROM passkey)")
        (last,) = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passkey'").fetchone()
    done = await shell.run("store", "copy", "--to", cluster.url(name))
    assert (done.code, done.err) == (0, "")
    assert "1 texts had U+0000" in done.out
    hold_equal(filled, cluster.place(name))
    with psycopg.connect(cluster.place(name)) as target:
        insert = "INSERT INTO passkey (credential, account_id, public_key, sign_count, name, created_at) VALUES ('a', 1, 'b', 0, '', 0)"
        row = target.execute(f"{insert} RETURNING id".encode()).fetchone()
        assert row == (last + 1,)
    again = await shell.run("store", "copy", "--to", cluster.url(name))
    assert (again.code, again.out) == (1, "")
    assert "the target is not empty: its table" in again.err
    wrong = await shell.run("store", "copy", "--to", "sqlite:other.db")
    assert (wrong.code, wrong.err) == (2, 'regserver: --to: expected "postgresql://user@host/database"\n')


class Stopped(Exception):
    pass


def test_what_was_stopped_goes_on(filled: Path, cluster: Cluster) -> None:
    place = cluster.place(cluster.create_database())
    trio.run(migrate_postgres, place, EPOCH)
    require_empty(filled, place)
    written: list[str] = []

    def stop(table: str, rows: int) -> None:
        written.append(table)
        if table == "post":
            raise Stopped

    def go_on(table: str, rows: int) -> None:
        assert table not in written[:-1]

    with pytest.raises(Stopped):
        list(copy_store(filled, place, stop, portion=1))
    require_empty(filled, place)

    async def serve() -> None:
        async with open_postgres(place):
            pass

    with pytest.raises(StoreFault, match="a copy into this database is not finished"):
        trio.run(serve)
    assert len(list(copy_store(filled, place, go_on, portion=1))) == len(tables(filled))
    hold_equal(filled, place)
    trio.run(serve)


def test_a_change_on_the_way_is_found(
    filled: Path, cluster: Cluster, new_database: Callable[[], str]
) -> None:
    place = new_database()

    def change(table: str, rows: int) -> None:
        if table == "room":
            with closing(sqlite3.connect(filled)) as connection, connection:
                connection.execute("UPDATE room SET name = 'later'")

    with pytest.raises(StoreFault, match=r"room: . rows with checksum .* begin again with --anew"):
        list(copy_store(filled, place, change))
    assert forget_copy(place)
    require_empty(filled, place)
    assert not forget_copy(place)
    list(copy_store(filled, place, lambda table, rows: None))
