"""`regserver source try` on a roster and on an executable; other sources' faults are in tests/system."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.server import run_command

ROSTER = """
[[user]]
username = "ada"
password = "right"
first_name = "Ada"
last_name = "Lovelace"
delay = "1ms"
steps = ["Looking", "Reading"]
"""
CHEAP = ("--set", "password.memory=1MiB", "--set", "password.time_cost=1")


async def try_user(
    folder: Path, *arguments: str, given: bytes = b"right\n"
) -> "subprocess.CompletedProcess[bytes]":
    (folder / "roster.toml").write_text(ROSTER)
    return await run_command("source", "try", *arguments, *CHEAP, folder=folder, given=given)


async def test_a_registration_is_played_to_its_end(tmp_path: Path) -> None:
    done = await try_user(tmp_path, "Ada")
    assert (done.returncode, done.stderr) == (0, b"")
    said = [line.partition(" s  ")[2] for line in done.stdout.decode().splitlines()]
    assert said[0] == "verify: accepted, subject 'ada'"
    assert said[1].split() == ["INFORMATION", "1/2", "Looking"]
    assert said[-1] == "done: the account would be made now"
    assert {path.name for path in tmp_path.iterdir()} == {"roster.toml"}


async def test_json_says_the_same(tmp_path: Path) -> None:
    done = await try_user(tmp_path, "Ada", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert [row["level"] for row in found] == ["ok"] * len(found)
    assert (found[0]["text"], found[-1]["text"]) == (
        "verify: accepted, subject 'ada'",
        "done: the account would be made now",
    )
    assert all(row["seconds"] >= 0 for row in found)
    done = await try_user(tmp_path, "bob", "--json")
    (row,) = json.loads(done.stdout)
    assert (done.returncode, row["level"]) == (1, "fail")


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("bob", "right")])
async def test_a_refused_sign_in(tmp_path: Path, name: str, password: str) -> None:
    done = await try_user(tmp_path, name, given=f"{password}\n".encode())
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"verify: unknown user or wrong password; a sign-in is answered 401" in done.stdout


async def test_an_executable_that_fails(tmp_path: Path) -> None:
    program = f'live.command.argv=["{sys.executable}", "-c", "import sys; sys.exit(3)"]'
    done = await try_user(tmp_path, "ada", "--set", "live.source=command", "--set", program)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"WRONG  verify: ended with exit code 3; a sign-in is answered 503" in done.stdout


async def test_no_source(tmp_path: Path) -> None:
    done = await try_user(tmp_path, "ada", "--set", "live.source=none")
    assert done.stderr == b'regserver: live.source is "none": there is nothing to try\n'
    assert (done.returncode, done.stdout) == (1, b"")


async def test_a_roster_that_cannot_be_read(tmp_path: Path) -> None:
    done = await try_user(tmp_path, "ada", "--set", "live.file.path=nobody.toml")
    assert (
        done.stderr
        == f"regserver: {tmp_path}/nobody.toml: cannot be read: No such file or directory\n".encode()
    )
    assert (done.returncode, done.stdout) == (2, b"")


async def test_wrong_usage(tmp_path: Path) -> None:
    assert (await run_command("source", "try", folder=tmp_path)).returncode == 2
    assert (await run_command("source", "play", "ada", folder=tmp_path)).returncode == 2
