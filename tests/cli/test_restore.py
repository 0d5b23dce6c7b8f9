"""Restore beside what is there already: nothing of it is lost, and no server that runs is robbed of its file."""

import io
import os
import signal
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.server import open_server, run_command, sign_up

PLACE = ("--set", "store.url=sqlite:test.db")


def people(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [name for (name,) in connection.execute("SELECT username FROM account ORDER BY id")]


async def test_the_old_copy_keeps_what_was_only_in_its_log(tmp_path: Path) -> None:
    """After kill -9 the newest part of the database is in its log."""
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await run_command("backup", "b.tar", *PLACE, folder=tmp_path)
        for name in ("bob", "cid"):
            await sign_up(client, name)
        await server.stop(signal.SIGKILL)
    done = await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/test.db.old: what was there\n".encode() in done.stdout
    assert people(tmp_path / "test.db.old") == ["ann", "bob", "cid"]
    assert people(tmp_path / "test.db") == ["ann"]
    # A second time: the first old copy stays.
    done = await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert people(tmp_path / "test.db.old") == ["ann", "bob", "cid"]
    assert people(tmp_path / "test.db.old2") == ["ann"]
    assert (tmp_path / "test.key.old2").exists()


async def test_nothing_is_restored_under_a_running_server(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await run_command("backup", "b.tar", *PLACE, folder=tmp_path)
        done = await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)
        assert done.returncode == 1
        assert f"in use by process {server.process.pid}" in done.stderr.decode()
        await sign_up(client, "bob")
    assert people(tmp_path / "test.db") == ["ann", "bob"]


async def test_nothing_is_restored_under_another_program(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await run_command("backup", "b.tar", *PLACE, folder=tmp_path)
    with closing(sqlite3.connect(tmp_path / "test.db")) as other:
        other.execute("SELECT * FROM account").fetchone()
        done = await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)
        assert (done.returncode, b"another program has it open" in done.stderr) == (1, True)
    assert people(tmp_path / "test.db") == ["ann"]


async def test_a_damaged_database_is_set_aside_with_its_log(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        await sign_up(client, "ann")
        await run_command("backup", "b.tar", *PLACE, folder=tmp_path)
    (tmp_path / "test.db").write_bytes(b"damaged" * 1000)
    (tmp_path / "test.db-wal").write_bytes(b"its log")
    done = await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "test.db.old").read_bytes() == b"damaged" * 1000
    assert (tmp_path / "test.db.old-wal").read_bytes() == b"its log"
    assert people(tmp_path / "test.db") == ["ann"]


async def test_a_log_without_its_database_counts_as_one(tmp_path: Path) -> None:
    async with open_server(tmp_path):
        await run_command("backup", "b.tar", *PLACE, folder=tmp_path)
    (tmp_path / "test.db").unlink()
    (tmp_path / "test.db-wal").write_bytes(b"its log")
    done = await run_command("restore", "b.tar", *PLACE, folder=tmp_path)
    assert (done.returncode, b"use --force" in done.stderr) == (1, True)
    assert (tmp_path / "test.db-wal").read_bytes() == b"its log"
    assert (await run_command("restore", "b.tar", "--force", *PLACE, folder=tmp_path)).returncode == 0
    assert (tmp_path / "test.db.old-wal").read_bytes() == b"its log"


async def test_a_key_that_is_a_link_is_backed_up_by_its_content(tmp_path: Path) -> None:
    async with open_server(tmp_path):
        pass
    (tmp_path / "elsewhere").write_bytes((tmp_path / "test.key").read_bytes())
    os.chmod(tmp_path / "elsewhere", 0o600)
    (tmp_path / "test.key").unlink()
    (tmp_path / "test.key").symlink_to("elsewhere")
    assert (await run_command("backup", "b.tar", *PLACE, folder=tmp_path)).returncode == 0
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert archive.getmember("regserver.key").isreg()
        assert archive.getmember("regserver.key").size == 32


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
async def test_an_archive_whose_key_is_no_file_is_refused_in_words(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name in ("backup.json", "regserver.db", "regserver.key"):
            member = tarfile.TarInfo(name)
            if name == "regserver.key":
                member.type, member.linkname = kind, "/etc/hostname"
            archive.addfile(member, io.BytesIO())
    done = await run_command("restore", "b.tar", *PLACE, folder=tmp_path)
    assert done.returncode == 1
    assert b"regserver.key is no file" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "test.db").exists()
