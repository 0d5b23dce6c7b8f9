"""`regserver try` against a started server."""

import json
import re
from pathlib import Path

import trio

from tests.system.server import open_server, run_command

DOORS = ("Sign-in and live registration", "Rooms", "Registration steps", "Directory")


async def test_the_four_doors_are_walked(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        done = await run_command("try", server.url, folder=tmp_path)
        printed = done.stdout.decode()
        assert (done.returncode, done.stderr) == (0, b"")
        assert [line for line in printed.splitlines() if line in DOORS] == list(DOORS)
        for wanted in (
            r"→ POST /login  .*\n  ← 202  \{\"location\"",
            r"← 200  \{\"eventType\":\"AUTHENTICATION\"",
            r"→ POST /room/post/\d+ .*\n  ← 200  \{\"postId\"",
            r"→ DELETE /login/delete\n  ← 204",
            r"\"currentState\":\"verifyEmail\"",
            r"\"code\":1104",
            r"← 200  \{\"exists\":false\}",
            r"\"id\":\"INIT_DONE\"",
            r"\n\d+ requests; 0 answered with a fault of the server\n$",
        ):
            assert re.search(wanted, printed), wanted
        assert "battery" not in printed
        assert not re.search(r"reg[a-z]_[\w-]{10}", printed)
        assert (
            await run_command("try", server.url, folder=tmp_path)
        ).returncode == 0  # as often as one likes


async def test_as_json(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server:
        done = await run_command("try", server.url, "--json", folder=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"sent": "GET /login/ticket", "body": None} not in lines
    assert {"sent": "POST /login/ticket", "body": None} in lines
    assert {"status": 204, "body": None} in lines


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with trio.fail_after(30):
        done = await run_command("try", "--set", "server.bind=127.0.0.1:1", folder=tmp_path)
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 3)
    assert done.stderr.startswith(b"regserver: http://127.0.0.1:1 does not answer: ")
    unix = await run_command("try", "--set", "server.bind=unix:x.sock", folder=tmp_path)
    assert b"give the server's URL" in unix.stderr
