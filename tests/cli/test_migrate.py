"""`regserver migrate`: a fresh database, an older one with its copy and the way back, and one of a newer program."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from regserver.store.migration import migrations
from regserver.store.sqlite.copy import inspect_database
from tests.cli.shell import Shell
from tests.store.test_upgrade import fill
from tests.system.server import open_server, run_command

NEWEST = migrations()[-1].number
OLDER = NEWEST - 2
READING: tuple[tuple[str, ...], ...] = (
    ("user", "show", "ann"),
    ("user", "delete", "ann"),
    ("invite", "list"),
    ("mail", "list"),
    ("ledger", "verify"),
    ("steps", "show", "+380000000000"),
)


async def test_a_database_is_made_and_then_left_alone(shell: Shell) -> None:
    expected = (0, f"{shell.folder / 'test.db'}: schema version {NEWEST}\n", "")
    assert await shell.run("migrate") == expected
    assert await shell.run("migrate") == expected
    with closing(sqlite3.connect(shell.folder / "test.db")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM migration").fetchone()
    assert count == NEWEST
    assert {path.name for path in shell.folder.iterdir()} == {"test.db", "test.db-lock"}


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


def older(folder: Path) -> Path:
    path = folder / "test.db"
    fill(path, OLDER)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM server_key")  # it is of another key than this one
    path.chmod(0o640)
    (folder / "test.key").write_bytes(bytes(32))
    return path


def content(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.parametrize("words", READING)
async def test_no_other_command_migrates(shell: Shell, words: tuple[str, ...]) -> None:
    path = older(shell.folder)
    before = content(path)
    done = await shell.run(*words)
    said = (
        f"schema version {OLDER}, and this program needs {NEWEST}: start the server, which updates it, or run"
    )
    assert done == (1, "", f"regserver: {path}: {said} `regserver migrate`\n")
    assert content(path) == before
    assert not list(shell.folder.glob("*.before-*"))


async def test_a_backup_and_the_doctor_take_an_older_database_as_it_is(shell: Shell) -> None:
    path = older(shell.folder)
    before = content(path)
    done = await shell.run("backup", str(shell.folder / "b.tar"))
    assert (done.code, f"schema version {OLDER}\n" in done.out) == (0, True)
    done = await shell.run("doctor", settings=("server.bind=127.0.0.1:0", "live.source=none"))
    assert (done.code, f"the next start updates it to {NEWEST}" in done.out) == (0, True)
    assert content(path) == before


async def test_a_migration_keeps_a_copy_and_can_be_taken_back(shell: Shell) -> None:
    path = older(shell.folder)
    before = content(path)
    copy = shell.folder / f"test.db.before-{NEWEST}"
    assert (await shell.run("migrate")).code == 0
    assert (content(copy), copy.stat().st_mode & 0o777) == (before, 0o640)
    assert inspect_database(path) == NEWEST
    (await shell.run("user", "delete", "ann"))
    after = content(path)
    done = await shell.run("migrate", "--rollback")
    said = f"schema version {OLDER} again; what was written since is in test.db.old\n"
    assert done == (0, f"{path}: {said}", "")
    assert content(path) == before
    assert content(shell.folder / "test.db.old") == after
    assert not copy.exists()
    # The server of this version brings it up to date once more.
    async with open_server(shell.folder):
        pass
    assert inspect_database(path) == NEWEST
    assert content(copy) == before


async def test_json_says_the_same(shell: Shell) -> None:
    path = str(older(shell.folder))
    done = json.loads((await shell.run("migrate", "--json")).out)
    assert done == {"store": path, "schemaVersion": NEWEST}
    back = json.loads((await shell.run("migrate", "--rollback", "--json")).out)
    assert back == {"store": path, "schemaVersion": OLDER, "setAside": f"{path}.old"}


async def test_there_is_no_way_back_without_a_copy(shell: Shell) -> None:
    await shell.run("migrate")
    copy = f"{shell.folder / 'test.db'}.before-{NEWEST}"
    said = f"no such file; there is no copy from before schema version {NEWEST}"
    assert await shell.run("migrate", "--rollback") == (1, "", f"regserver: {copy}: {said}\n")
    Path(copy).write_bytes(b"not a database at all, and long enough to look like one" * 10)
    done = await shell.run("migrate", "--rollback")
    assert done == (1, "", f"regserver: {copy}: file is not a database\n")
    assert inspect_database(shell.folder / "test.db") == NEWEST


@pytest.mark.parametrize("words", [("migrate",), ("migrate", "--rollback")])
async def test_nothing_is_migrated_under_a_running_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with open_server(tmp_path) as server:
        (tmp_path / f"test.db.before-{NEWEST}").write_bytes(b"")
        done = await run_command(*words, "--set", "store.url=sqlite:test.db", folder=tmp_path)
        assert done.returncode == 1
        assert f"in use by process {server.process.pid}" in done.stderr.decode()


async def test_a_copy_that_cannot_be_made_leaves_the_database_as_it_is(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = older(shell.folder)
    before = content(path)
    (shell.folder / f"test.db.before-{NEWEST}").mkdir()
    done = await shell.run("migrate")
    assert (done.code, "test.db: " in done.err) == (1, True)
    assert content(path) == before
    assert not list(shell.folder.glob("*.draft"))
