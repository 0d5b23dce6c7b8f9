"""What an operator's executable leaves behind, says and is told, on the running server."""

import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.security.process import Started, started, until
from tests.system.live_client import begin, sign_in, watch
from tests.system.server import listening
from tests.system.test_live_command import gone, noted, served

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has reapers")


def children(pid: int) -> set[int]:
    """The processes whose parent is this one, zombies too."""
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found.update(map(int, path.read_text().split()))
    return found


async def test_a_daemon_ends_with_the_registration_that_started_it(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        async with listening(await begin(client, "hermit")) as listener:
            await listener.message()
            await until(lambda: bool(list(tmp_path.glob("daemon.*"))))
            with trio.fail_after(20):
                assert await server.stop() == 0
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "daemon"))


async def test_a_daemon_does_not_outlive_an_executable_that_ends_by_itself(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        location = await begin(client, "deserter")
        for path in tmp_path.glob("daemon.*"):
            await gone(int(path.suffix[1:]))
            path.unlink()
        events = await watch(location)
        assert events[-1]["eventType"] == "AUTHENTICATION"
        await gone(noted(tmp_path, "daemon"))
        await until(lambda: not children(server.process.pid))


async def test_a_daemon_does_not_disturb_others_that_run(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        async with listening(await begin(client, "hang")) as listener:
            await listener.message()
            for _ in range(3):
                assert (await sign_in(client, "deserter", "wrong")).status_code == 401
            assert len(children(server.process.pid)) == 1
            with trio.move_on_after(1):
                raise AssertionError(await listener.text())
        for path in tmp_path.glob("daemon.*"):
            await gone(int(path.suffix[1:]))


async def test_what_it_says_cannot_move_the_cursor_or_forge_a_line(tmp_path: Path) -> None:
    script = tmp_path / "people.sh"
    script.write_text(
        "#!/bin/sh\nprintf '\\033[2Jgone\\r12:00:00 error forged\\n\\342\\200\\256backwards\\n' >&2\nexit 1\n"
    )
    script.chmod(0o700)
    settings = ("live.source=command", f'live.command.argv=["{script}"]', "log.format=text")
    with (tmp_path / "log").open("wb") as stderr:
        async with started(tmp_path, settings, stderr=stderr) as server:
            wrong = {"username": "ada", "password": "x"}
            assert (await server.client.post("/login", json=wrong)).status_code == 401
            await until(lambda: "backwards" in (tmp_path / "log").read_text())
    text = (tmp_path / "log").read_text()
    assert r"verify: \x1b[2Jgone\r12:00:00 error forged" in text
    assert all(line.isprintable() for line in text.split("\n"))


async def test_a_child_that_forks_and_floods_is_ended_whole(tmp_path: Path) -> None:
    script = tmp_path / "people.sh"
    script.write_text(
        "#!/bin/sh\n"
        "for n in 1 2 3 4 5 6 7 8 9 10; do\n"
        "  setsid sh -c 'setsid sleep 600 & setsid sleep 600 & sleep 600' &\n"
        "  (setsid sleep 600 &)\n"
        "done\n"
        "yes >&2 & yes & sleep 600\n"
    )
    script.chmod(0o700)
    settings = ("live.source=command", f'live.command.argv=["{script}"]', "live.command.timeout=2s")
    async with started(tmp_path, settings, stderr=subprocess.DEVNULL) as server:
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(refused_with, server, f"person{number}", 503)
        await until(lambda: not children(server.process.pid))
        assert await server.status("/health/ready") == 200
        assert sleepers() == []


async def refused_with(server: Started, username: str, status: int) -> None:
    answer = await server.client.post("/login", json={"username": username, "password": "x"})
    assert answer.status_code == status


def sleepers() -> list[str]:
    """The processes that only the script above starts."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x00600\x00":
                found.append(path.parent.name)
        except OSError:  # it has ended meanwhile
            continue
    return found


async def test_checks_at_once_are_bounded(tmp_path: Path) -> None:
    most = 0

    async def look(pid: int) -> None:
        nonlocal most
        while True:
            most = max(most, len(children(pid)))
            await trio.sleep(0.01)

    script = tmp_path / "people.sh"
    script.write_text("#!/bin/sh\nsleep 1\nexit 1\n")
    script.chmod(0o700)
    settings = ("live.source=command", f'live.command.argv=["{script}"]', "live.max_running=8")
    async with (
        started(tmp_path, settings, stderr=subprocess.DEVNULL) as server,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(look, server.process.pid)
        async with trio.open_nursery() as asking:
            for number in range(150):
                asking.start_soon(ask, server, f"person{number}")
        nursery.cancel_scope.cancel()
    assert 0 < most <= 8


async def ask(server: Started, username: str) -> None:
    answer = await server.client.post("/login", json={"username": username, "password": "x"})
    assert answer.status_code in {401, 503}
