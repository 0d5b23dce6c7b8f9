"""Commands that root runs for a server of another user: what they make belongs to that user, and refusals name owners.

Run by root, the other user is `nobody`. Run by anybody else there is no other user, and files just keep their owner.
"""

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from regserver.owner import user_name
from regserver.store.sqlite import open_sqlite
from tests.system.server import ROOT, run_command

IS_ROOT = os.geteuid() == 0
USER = 65534 if IS_ROOT else os.geteuid()
OPTIONS = ("--set", "server.bind=127.0.0.1:0", "--set", "live.source=none")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the other user, which that user can reach."""
    with tempfile.TemporaryDirectory(prefix="regserver-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        state = folder / "state"
        state.mkdir(0o700)
        os.chown(state, USER, -1)
        yield state


async def run_as_user(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    return await trio.run_process(
        [sys.executable, "-m", "tests.peer.as_user", str(USER), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )


def given(place: Path) -> tuple[str, ...]:
    return (*OPTIONS, "--set", f"server.data={place}")


def owners(folder: Path) -> set[int]:
    return {path.stat().st_uid for path in folder.iterdir()}


async def test_what_root_makes_belongs_to_the_owner_of_the_folder(place: Path) -> None:
    done = await run_command("migrate", *given(place), folder=place.parent)
    assert (done.returncode, owners(place)) == (0, {USER}), done.stderr
    done = await run_as_user("migrate", *given(place), folder=place.parent)
    assert (done.returncode, done.stderr) == (0, b"")


async def test_a_restore_leaves_owner_and_mode_as_they_were(place: Path) -> None:
    async with open_sqlite(place / "regserver.db"):
        (place / "regserver.key").write_bytes(bytes(32))
    archive = str(place.parent / "b.tar")
    assert (await run_command("backup", archive, *given(place), folder=place.parent)).returncode == 0
    for name, mode in (("regserver.db", 0o640), ("regserver.key", 0o600)):
        os.chown(place / name, USER, -1)
        (place / name).chmod(mode)
    done = await run_command("restore", archive, "--force", *given(place), folder=place.parent)
    assert (done.returncode, owners(place)) == (0, {USER}), done.stderr
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()}
    assert (modes["regserver.db"], modes["regserver.key"]) == (0o640, 0o600)
    done = await run_as_user("ledger", "verify", *given(place), folder=place.parent)
    assert (done.returncode, done.stderr) == (0, b"")


async def test_into_an_empty_folder_a_restore_makes_files_of_the_folders_owner(place: Path) -> None:
    other = place.parent / "other"
    async with open_sqlite(place / "regserver.db"):
        (place / "regserver.key").write_bytes(bytes(32))
    archive = str(place.parent / "b.tar")
    assert (await run_command("backup", archive, *given(place), folder=place.parent)).returncode == 0
    os.mkdir(other)
    os.chown(other, USER, -1)
    done = await run_command("restore", archive, *given(other), folder=place.parent)
    assert (done.returncode, owners(other)) == (0, {USER}), done.stderr
    done = await run_as_user("backup", str(other / "c.tar"), *given(other), folder=place.parent)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", ["regserver.db", "regserver.key", "regserver.db-lock", "."])
async def test_a_refusal_says_who_owns_what(place: Path, name: str) -> None:
    """Files that an earlier version has left to root, or whose mode somebody has changed."""
    assert (await run_command("migrate", *given(place), folder=place.parent)).returncode == 0
    (place / "regserver.key").write_bytes(bytes(32))
    os.chown(place / "regserver.key", USER, -1)
    target = place / name
    owner = os.geteuid()
    os.chown(target, owner, -1)
    target.chmod((0o555 if name == "." else 0o600) if IS_ROOT else 0o500 if name == "." else 0)
    command = ("ledger", "verify") if name == "regserver.key" else ("migrate",)
    done = await run_as_user(*command, *given(place), folder=place.parent)
    told = done.stderr.decode()
    place.chmod(0o700)
    assert (done.returncode, told.count("\n")) == (1, 1), told
    named = str(place) if name == "." else str(target)
    assert f"{named}{', its folder,' if name == '.' else ''} belongs to {user_name(owner)}:" in told
    assert f"and this is {user_name(USER)}; " in told
    assert (f"as root: chown {user_name(USER)}: {named}" if IS_ROOT else "chmod u+rw") in told


def test_root_follows_no_link_to_a_lock(tmp_path: Path) -> None:
    """The owner of the folder could have another file overwritten."""
    (tmp_path / "precious").write_text("of root")
    (tmp_path / "regserver.db-lock").symlink_to("precious")
    done = subprocess.run(
        [sys.executable, "-m", "regserver", "migrate"], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, b"regserver.db-lock: " in done.stderr) == (1, True)
    assert (tmp_path / "precious").read_text() == "of root"
