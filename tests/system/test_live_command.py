"""Live registration from an operator's executable, on the started server: it never outlives its registration."""

import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from tests.system.live_client import begin, register, sign_in, watch
from tests.system.server import Server, listening, open_server

EXECUTABLE = Path(__file__).parents[1] / "peer" / "people_command.py"


@asynccontextmanager
async def served(
    folder: Path, settings: Sequence[str] = ()
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    argv = json.dumps([sys.executable, str(EXECUTABLE), str(folder)])
    given = ("live.source=command", f"live.command.argv={argv}", *settings)
    async with open_server(folder, given) as server, server.client() as client:
        yield server, client


def noted(folder: Path, what: str) -> int:
    """The number of the one process of this kind."""
    (path,) = folder.glob(f"{what}.*")
    return int(path.suffix[1:])


async def gone(pid: int) -> None:
    """Returns when the process has ended, whoever's child it is."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(10):
            await trio.lowlevel.wait_readable(number)
    finally:
        os.close(number)


async def test_a_registration_by_an_executable(tmp_path: Path) -> None:
    async with served(tmp_path, ("server.public_url=https://id.example.org",)) as (server, client):
        location = (await sign_in(client, "ada")).headers["location"]
        events = await watch(server.socket_url + location.removeprefix("wss://id.example.org"))
        assert [event["eventType"] for event in events] == [
            "INFORMATION",
            "INFORMATION",
            "NAME",
            "AUTHENTICATION",
        ]
        assert events[2]["additionalData"]["lastName"] == "Ёлкина"
        assert (await sign_in(client, "ada")).status_code == 200
        assert (await sign_in(client, "bob", "wr0ng-password")).status_code == 401
        await server.wait_line(lambda said: "looking for ada" in said["message"])
        assert "checking ada with …" in server.printed
        assert "wr0ng-password" not in server.printed
    for report in tmp_path.glob("verify.*"):
        assert "wr0ng-password" not in report.read_text()


@pytest.mark.parametrize("username", ["broken", "killed", "garbage", "huge", "slow"])
async def test_an_executable_that_cannot_say_is_503(tmp_path: Path, username: str) -> None:
    async with served(tmp_path, ("live.command.timeout=1s",)) as (_, client):
        response = await sign_in(client, username)
        assert (response.status_code, response.json()) == (503, {"error": "SourceUnavailable"})
        await gone(noted(tmp_path, "verify"))


async def test_a_crash_is_one_failure(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        events = await watch(await begin(client, "crash"))
        assert events[-1]["eventType"] == "FAILURE"
        await server.wait_line(lambda said: "profile: ended with exit code 7" in said["message"])


async def test_it_is_killed_with_its_children_at_the_deadline(tmp_path: Path) -> None:
    async with served(tmp_path, ("live.deadline=1s",)) as (_, client):
        events = await watch(await begin(client, "family"))
        assert events[-1]["eventType"] == "FAILURE"
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "child"))
        await register(client, "ada")


async def test_it_is_killed_with_its_children_when_the_server_stops(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        async with listening(await begin(client, "family")) as listener:
            await listener.message()
            with trio.fail_after(10):
                assert await server.stop() == 0
        await gone(noted(tmp_path, "profile"))
        await gone(noted(tmp_path, "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
async def test_it_dies_with_a_server_that_is_killed(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, client):
        async with listening(await begin(client, "hang")) as listener:
            await listener.message()
            pid = noted(tmp_path, "profile")
            server.process.kill()
            await server.process.wait()
        await gone(pid)
