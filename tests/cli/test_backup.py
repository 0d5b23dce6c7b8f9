"""Backup while the server runs, restore into a fresh place, and what both refuse."""

import tarfile
from pathlib import Path

from tests.system.server import open_server, run_command, sign_up


async def test_what_was_backed_up_is_there_after_the_restore(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    archive = str(tmp_path / "b.tar")
    place = ("--set", f"store.url=sqlite:{here / 'test.db'}")
    async with open_server(here) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        done = await run_command("backup", archive, *place, folder=here)
        assert (done.returncode, done.stderr) == (0, b"")
        await sign_up(client, "bob")
    assert Path(archive).stat().st_mode & 0o077 == 0
    again = await run_command("backup", archive, *place, folder=here)
    assert (again.returncode, again.stderr.decode()) == (1, f"regserver: {archive}: File exists\n")

    place = ("--set", f"store.url=sqlite:{there / 'test.db'}")
    restored = await run_command("restore", archive, *place, folder=there)
    assert (restored.returncode, restored.stderr) == (0, b"")
    assert (there / "test.key").read_bytes() == (here / "test.key").read_bytes()
    async with open_server(there) as server, server.client() as client:
        login = {"username": "ann", "password": "ann's long password"}
        assert (await client.post("/login", json=login)).json()["userId"] == ann.id
        assert (await client.post("/login", json={**login, "username": "bob"})).status_code == 401
    refused = await run_command("restore", archive, *place, folder=there)
    assert refused.returncode == 1
    assert b"there is a database already" in refused.stderr
    forced = await run_command("restore", archive, "--force", *place, folder=there)
    assert forced.returncode == 0
    assert {path.name for path in there.iterdir()} == {
        "test.db",
        "test.key",
        "test.db-lock",
        "test.db.old",
        "test.key.old",
    }


async def test_a_restore_takes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    done = await run_command("restore", str(tmp_path / "text"), folder=tmp_path)
    assert done.returncode == 1
    assert b"not an archive of regserver backup" in done.stderr
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "text", "../escape")
    done = await run_command("restore", str(tmp_path / "other.tar"), folder=tmp_path)
    assert done.returncode == 1
    assert b"not an archive of regserver backup" in done.stderr
    for name in ("regserver.db", "regserver.key", "backup.json"):
        (tmp_path / f"x-{name}").write_text("damaged")
    with tarfile.open(tmp_path / "damaged.tar", "w") as archive:
        for name in ("regserver.db", "regserver.key", "backup.json"):
            archive.add(tmp_path / f"x-{name}", name)
    done = await run_command("restore", str(tmp_path / "damaged.tar"), folder=tmp_path)
    assert done.returncode == 1
    assert b"file is not a database" in done.stderr
    assert not (tmp_path / "regserver.db").exists()


async def test_there_must_be_something_to_back_up(tmp_path: Path) -> None:
    done = await run_command("backup", "b.tar", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        f"regserver: {tmp_path}/regserver.db: no such database; server.data says in which folder it is\n".encode(),
    )
    assert list(tmp_path.iterdir()) == []
