"""Backup and restore of PostgreSQL by its own programs: every table, in one archive with the key, and never over other rows unasked."""

import json
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from regserver.store.migration import migrations
from regserver.store.sqlite import connect, migrate
from tests.cli.shell import Shell
from tests.fake import EPOCH
from tests.peer.postgres import Cluster
from tests.store.test_store_copy import rows_there
from tests.store.test_upgrade import NEWEST, fill, tables


@pytest.fixture
def places(tmp_path: Path, cluster: Cluster) -> list[tuple[str, ...]]:
    """The settings of a node on a new database, and of one on another."""
    return [
        (f"store.url={cluster.url(cluster.create_database())}", f"server.key={tmp_path / name / 'key'}", f"server.data={tmp_path / name}")
        for name in ("here", "there")
    ]  # fmt: skip


def place_of(settings: tuple[str, ...]) -> str:
    return settings[0].removeprefix("store.url=")


async def test_what_was_backed_up_is_there_after_the_restore(
    tmp_path: Path, places: list[tuple[str, ...]], shell: Shell
) -> None:
    here, there = places
    fill(tmp_path / "test.db", NEWEST)
    migrate(tmp_path / "test.db", EPOCH)
    copied = await shell.run("store", "copy", "--to", place_of(here), "--json")
    assert (copied.code, copied.err) == (0, "")
    told = json.loads(copied.out)
    assert (told["key"], {row["name"] for row in told["tables"]} > {"account", "post"}) == (
        str(tmp_path / "test.key"),
        True,
    )
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "key").write_bytes(b"k" * 32)
    archive, version = str(tmp_path / "b.tar"), migrations()[-1].number
    made = await shell.run("backup", archive, settings=here)
    assert (made.code, made.err) == (0, "")
    with closing(connect(tmp_path / "test.db")) as connection:
        newest = "SELECT number, hex(hash) FROM ledger_journal ORDER BY number DESC LIMIT 1"
        entries, last = connection.execute(newest).fetchone()
    assert f"the ledger has {entries} entries; last hash {last.lower()}" in made.out
    checked = await shell.run("backup", "--check", archive)
    assert (checked.code, f"schema version {version}" in checked.out) == (0, True)

    restored = await shell.run("restore", archive, settings=there)
    assert (restored.code, restored.err) == (0, "")
    assert restored.out.endswith(f": restored, schema version {version}\n")
    for name, (columns, rows) in tables(tmp_path / "test.db").items():
        assert sorted(map(repr, rows_there(place_of(there), columns, name))) == sorted(map(repr, rows)), name
    assert (tmp_path / "there" / "key").read_bytes() == b"k" * 32
    assert (tmp_path / "there" / "key").stat().st_mode & 0o077 == 0
    await hold_replaced(tmp_path, archive, there, shell)


async def hold_replaced(tmp_path: Path, archive: str, there: tuple[str, ...], shell: Shell) -> None:
    """Over another store: only when asked, never beside a server, and what was there is kept."""
    (tmp_path / "there" / "key").write_bytes(b"o" * 32)
    with psycopg.connect(place_of(there), autocommit=True) as other:
        other.execute("UPDATE room SET name = 'of the replaced store'")
        other.execute("CREATE TABLE of_another_program (id INTEGER)")
    refused = await shell.run("restore", archive, settings=there)
    assert (refused.code, "use --force to replace them" in refused.err) == (1, True)
    with psycopg.connect(place_of(there), application_name="regserver alpha"):
        busy = await shell.run("restore", archive, "--force", settings=there)
    assert (busy.code, "regserver alpha: connected to this database" in busy.err) == (1, True)
    forced = await shell.run("restore", archive, "--force", settings=there)
    assert (forced.code, forced.err) == (0, "")
    assert rows_there(place_of(there), ("count(*)",), "room WHERE name = 'of the replaced store'") == [(0,)]
    assert rows_there(place_of(there), ("count(*)",), "of_another_program") == [(0,)]
    names = {path.name for path in (tmp_path / "there").iterdir()}
    assert names == {"key", "key.old", "before-restore.tar"}
    assert (tmp_path / "there" / "key.old").read_bytes() == b"o" * 32
    file = await shell.run("restore", archive)
    assert (file.code, "a backup of PostgreSQL" in file.err) == (1, True)


async def test_a_damaged_dump_changes_nothing(
    tmp_path: Path, places: list[tuple[str, ...]], shell: Shell
) -> None:
    here, there = places
    await shell.run("migrate", settings=here)
    (tmp_path / "here").mkdir(exist_ok=True)
    (tmp_path / "here" / "key").write_bytes(b"k" * 32)
    assert (await shell.run("backup", str(tmp_path / "b.tar"), settings=here)).code == 0
    whole = (tmp_path / "b.tar").read_bytes()
    at = whole.index(b"PGDMP") + 3000
    (tmp_path / "b.tar").write_bytes(whole[:at] + bytes(300) + whole[at + 300 :])
    for command in (("backup", "--check"), ("restore",)):
        done = await shell.run(*command, str(tmp_path / "b.tar"), settings=there)
        assert done.code == 1
    assert rows_there(place_of(there), ("count(*)",), "pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert not (tmp_path / "there" / "key").exists()
