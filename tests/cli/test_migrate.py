"""`regserver migrate`: a fresh database, one that is up to date, and one of a newer program."""

import sqlite3
from contextlib import closing

from regserver.store.migration import migrations
from tests.cli.shell import Shell

NEWEST = migrations()[-1].number


async def test_a_database_is_made_and_then_left_alone(shell: Shell) -> None:
    expected = (0, f"{shell.folder / 'test.db'}: schema version {NEWEST}\n", "")
    assert await shell.run("migrate") == expected
    assert await shell.run("migrate") == expected
    with closing(sqlite3.connect(shell.folder / "test.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM migration").fetchone()
    assert count == NEWEST


async def test_a_newer_database_is_refused(shell: Shell) -> None:
    await shell.run("migrate")
    with closing(sqlite3.connect(shell.folder / "test.db")) as connection, connection:
        connection.execute("INSERT INTO migration (number, name, at) VALUES (9999, 'future', 0)")
    done = await shell.run("migrate")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("regserver: the database is at schema version 9999")


async def test_a_folder_that_is_not_there(shell: Shell) -> None:
    done = await shell.run("migrate", settings=(f"store.url=sqlite:{shell.folder / 'no' / 'x.db'}",))
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "no/x.db" in done.err
