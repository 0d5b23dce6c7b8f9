"""Backup while the server runs, restore into a fresh place, and what both refuse."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import msgspec
import pytest

from regserver import __version__
from regserver.cli.backup import INSPECTORS
from regserver.ports.backup import BackupFault
from regserver.store.archive import check_archive
from regserver.store.migration import migrations
from regserver.store.sqlite import open_sqlite
from tests.peer.required import find_program, report_missing
from tests.system.server import open_server, run_command, sign_up


async def test_what_was_backed_up_is_there_after_the_restore(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    archive = str(tmp_path / "b.tar")
    place = ("--set", f"store.url=sqlite:{here / 'test.db'}")
    async with open_server(here) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        done = await run_command("backup", archive, "--json", *place, folder=here)
        assert (done.returncode, done.stderr) == (0, b"")
        size = Path(archive).stat().st_size
        assert (msgspec.json.decode(done.stdout)["file"], msgspec.json.decode(done.stdout)["bytes"]) == (
            archive,
            size,
        )
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
    forced = await run_command("restore", archive, "--force", "--json", *place, folder=there)
    assert forced.returncode == 0
    told = msgspec.json.decode(forced.stdout)
    assert (told["store"], told["schemaVersion"]) == (str(there / "test.db"), migrations()[-1].number)
    assert told["before"] == [str(there / "test.db.old"), str(there / "test.key.old")]
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


async def test_a_backup_to_a_pipe(tmp_path: Path) -> None:
    """As in `regserver backup - | ssh host 'cat >regserver.tar'`: the archive alone goes there."""
    place = await filled(tmp_path)
    done = await run_command("backup", "-", *place, folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr.decode().startswith("standard output: written, schema version ")
    (tmp_path / "piped.tar").write_bytes(done.stdout)
    checked = await run_command("backup", "--check", "piped.tar", folder=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert checked.stdout.decode().startswith("piped.tar: whole, made 20")
    told = await run_command("backup", "--check", "piped.tar", "--json", folder=tmp_path)
    assert msgspec.json.decode(told.stdout)["regserver"] == __version__
    assert {path.name for path in tmp_path.iterdir()} == {"test.db", "test.key", "piped.tar"}


async def test_what_is_wrong_with_an_archive(tmp_path: Path) -> None:
    place = await filled(tmp_path)
    assert (await run_command("backup", "b.tar", *place, folder=tmp_path)).returncode == 0
    whole = (tmp_path / "b.tar").read_bytes()
    at = whole.index(b"SQLite format 3") + 5000
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    wrong = {
        "empty": (b"", "not an archive of regserver backup, or cut off"),
        "cut": (whole[: len(whole) // 2], "not an archive of regserver backup, or cut off"),
        "flipped": (flipped, "regserver.db is not what was backed up: the archive is damaged"),
        "other": (b"something else " * 1000, "not an archive of regserver backup, or cut off"),
        "noted": (whole.replace(b'"schema":', b'"schemx":'), "backup.json cannot be read"),
        "of another": (
            whole.replace(b'"entries":0', b'"entries":7'),
            "is not the one that its note describes",
        ),
    }
    for name, (content, said) in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BackupFault, match=said):
            check_archive(tmp_path / name, INSPECTORS, tmp_path)
    done = await run_command("backup", "--check", "flipped", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert not list(tmp_path.glob(".regserver-*"))


async def test_an_archive_of_an_older_version_has_no_digests(tmp_path: Path) -> None:
    place = await filled(tmp_path)
    assert (await run_command("backup", "b.tar", *place, folder=tmp_path)).returncode == 0
    with tarfile.open(tmp_path / "b.tar") as archive, tarfile.open(tmp_path / "old.tar", "w") as older:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == "backup.json":
                note = msgspec.json.decode(data)
                del note["sha256"]
                data = msgspec.json.encode(note)
                member.size = len(data)
            older.addfile(member, io.BytesIO(data))
    assert check_archive(tmp_path / "old.tar", INSPECTORS, tmp_path).sha256 == {}


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """On a disk with too little room, on one that must keep room for the server, and at a stream that ends."""
    unshare = find_program("util-linux", "unshare")
    if subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        report_missing("a test mounts a small disk, which needs root")
    backup = f"{sys.executable} -m regserver backup --set store.url=sqlite:/mnt/test.db"
    script = f"""
        mount -t tmpfs -o size=8m none /mnt
        mkdir /mnt/small; mount -t tmpfs -o size=1m none /mnt/small
        {sys.executable} -m regserver migrate --set store.url=sqlite:/mnt/test.db >&2
        head -c 32 /dev/zero >/mnt/test.key
        {backup} /mnt/small/b.tar
        {backup} /mnt/b.tar --set store.min_free=1GiB
        dd if=/dev/zero of=/mnt/small/filler bs=1k count=1000 2>/dev/null
        {backup} - >/mnt/small/b.tar --set store.min_free=0B
        ls -A /mnt /mnt/small
    """
    done = subprocess.run([unshare, "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
    told = done.stderr.splitlines()[-3:]
    assert told[0].startswith("regserver: /mnt/small: a backup needs ")
    assert told[0].endswith("MiB of the disk are free; no backup was made")
    assert "with store.min_free of 1024 MiB" in told[1]
    assert told[2] == "regserver: standard output: No space left on device; no backup was made"
    assert done.stdout.split() == [
        "/mnt:",
        "small",
        "test.db",
        "test.db-lock",
        "test.key",
        "/mnt/small:",
        "b.tar",
        "filler",
    ]


async def filled(folder: Path) -> tuple[str, ...]:
    """A database with its key; the arguments that name it."""
    async with open_sqlite(folder / "test.db"):
        (folder / "test.key").write_bytes(bytes(32))
    return ("--set", f"store.url=sqlite:{folder / 'test.db'}")
