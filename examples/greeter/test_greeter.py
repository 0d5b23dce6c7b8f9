"""The greeter against real servers. The fixture `regserver` comes with regserver[testing]; each test has a server of its own."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import trio

from greeter import greet
from regserver import client, testing


@pytest.fixture
def bookmark(tmp_path: Path) -> Path:
    return tmp_path / "cursor"


async def invite(server: testing.TestedServer, room: int, host: testing.SignedUpPerson, *others: int) -> None:
    async with client.open_client(server.url, host.token) as here:
        await here.rooms.invite(room, others)


async def until_it_listens(bookmark: Path) -> None:
    while not bookmark.exists():
        await trio.sleep(0.01)


async def said(server: testing.TestedServer) -> str | None:
    return (await server.events.wait("posted")).content


async def test_newcomers_are_welcomed_by_name(regserver: testing.TestedServer, bookmark: Path) -> None:
    host, greeter, ben, eve = [await regserver.person(name) for name in ("host", "greeter", "ben", "eve")]
    room = await regserver.room(host)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(greet, regserver.url, greeter.token, bookmark)
        await until_it_listens(bookmark)
        await invite(regserver, room, host, greeter.id)
        assert await said(regserver) == "Hello! I welcome whoever comes."
        await invite(regserver, room, host, ben.id, eve.id)
        assert await said(regserver) == "Welcome, ben and eve!"
        nursery.cancel_scope.cancel()


async def test_who_came_while_it_was_down_is_welcomed_later(
    regserver: testing.TestedServer, bookmark: Path
) -> None:
    host, greeter, ben = [await regserver.person(name) for name in ("host", "greeter", "ben")]
    room = await regserver.room(host, greeter)
    with trio.move_on_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(greet, regserver.url, greeter.token, bookmark)
            await until_it_listens(bookmark)
            nursery.cancel_scope.cancel()
    await invite(regserver, room, host, ben.id)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(greet, regserver.url, greeter.token, bookmark)
        assert await said(regserver) == "Welcome, ben!"
        nursery.cancel_scope.cancel()


async def test_an_invitation_whose_answer_is_lost_is_repeated_and_welcomed_once(
    regserver: testing.TestedServer, bookmark: Path
) -> None:
    host, greeter, ben = [await regserver.person(name) for name in ("host", "greeter", "ben")]
    room = await regserver.room(host, greeter)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(greet, regserver.url, greeter.token, bookmark)
        await until_it_listens(bookmark)
        regserver.fail("store", "drop", times=1)  # the invitation is in the store, and its answer is not
        await invite(regserver, room, host, ben.id)  # the client asks again, as late as the server says: 5 s
        assert await said(regserver) == "Welcome, ben!"
        with pytest.raises(trio.TooSlowError):
            await regserver.events.wait("posted", seconds=0.3)
        nursery.cancel_scope.cancel()


async def test_it_ends_when_its_token_does(regserver: testing.TestedServer, bookmark: Path) -> None:
    greeter = await regserver.person("greeter")
    with trio.fail_after(10), pytest.raises(ExceptionGroup) as ended:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(greet, regserver.url, greeter.token, bookmark)
            await until_it_listens(bookmark)
            regserver.clock.advance(days=11)
    assert ended.group_contains(client.BadToken)


def test_the_command_says_why_it_ends(regserver: testing.BlockingServer, bookmark: Path) -> None:
    greeter = regserver.person("greeter")
    httpx.delete(f"{regserver.url}/login/token", headers=greeter.headers)
    done = subprocess.run(
        [sys.executable, "-m", "greeter", regserver.url, bookmark],
        env={**os.environ, "GREETER_TOKEN": greeter.token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "greeter: the session has ended: BadToken\n")
