"""The server for tests outside its loop: plain ones, asyncio, and Trio with the fixture."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from regserver import testing


def test_a_plain_test_has_a_server_in_a_thread() -> None:
    with testing.server_thread(login={"token_ttl": "1h"}) as server:
        ada, ben = server.person("ada", verified=True), server.person("ben")
        room = server.room(ada, ben, name="tea")
        rooms = httpx.get(f"{server.url}/room/list", headers=ben.headers).json()["rooms"]
        assert [(it["roomId"], it["name"]) for it in rooms] == [(room, "tea")]
        assert server.events.wait("created").room == room
        server.clock.advance(hours=2)
        assert httpx.get(f"{server.url}/room/list", headers=ben.headers).json() == {"error": "BadToken"}


def test_the_fixture_serves_a_plain_test(regserver: testing.BlockingServer) -> None:
    ada = regserver.person("ada", verified=True)
    httpx.post(f"{regserver.url}/login/recover", json={"email": ada.email})
    assert regserver.mailbox.wait(ada.email).token.startswith("regl_")


async def test_the_fixture_serves_a_test_in_trio(regserver: testing.TestedServer) -> None:
    ada = await regserver.person("ada")  # the name is free: each test has a store of its own
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{regserver.url}/login/info", headers=ada.headers)
    assert answer.json()["user"]["userId"] == ada.id


@pytest.mark.regserver(signup={"mode": "closed"})
def test_the_mark_gives_settings(regserver: testing.BlockingServer) -> None:
    with pytest.raises(AssertionError, match="RegistrationClosed"):
        regserver.person("ada")


def test_asyncio_has_the_same_server() -> None:
    async def use(server: testing.TestedServer) -> None:
        ada = await server.person("ada", verified=True)
        server.clock.advance(days=11)
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{server.url}/login/info", headers=ada.headers)).status_code == 401

    with testing.server_loop() as loop, loop.server() as server:
        asyncio.run(use(server))


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(Exception, match="did you mean"), testing.server_thread(logim={"token_ttl": "1h"}):
        pass


def test_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, regserver.pytest_plugin; print([it for it in ('trio', 'quart', 'httpx') if it in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
