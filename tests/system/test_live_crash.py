"""Ends of the server at every moment of a registration: by kill -9, and by SIGTERM with observers that never read."""

import random
import sqlite3
from pathlib import Path

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, HandshakeError

from tests.live import Message, check_story
from tests.peer.people_service import DONE, NAME, PeopleService, Person, Piece, line, steps
from tests.system.live_client import begin, deaf, read, register, served, sign_in
from tests.system.server import listening

KILLS = 10
CONSISTENT = """
    SELECT account.username,
           EXISTS (SELECT 1 FROM profile WHERE account_id = account.id),
           EXISTS (SELECT 1 FROM token WHERE account_id = account.id),
           EXISTS (SELECT 1 FROM name WHERE holder = 'account:' || account.id AND expires_at IS NULL)
    FROM account
"""


def quick() -> list[Piece]:
    return [*steps(3, 0.005), NAME, DONE]


async def test_killed_at_any_moment_a_user_is_registered_whole_or_not_at_all(tmp_path: Path) -> None:
    """A crowd registers while the server is killed; whoever came in is whole, and everybody can sign in afterwards."""
    chance = random.Random(7)  # noqa: S311  (for a test only)
    names = [f"user{number}" for number in range(KILLS * 3)]
    people = PeopleService(**{name: Person("right", quick()) for name in names})
    registered: set[str] = set()
    async with people.listen():
        for round_ in range(KILLS):
            crowd = names[: 3 * (round_ + 1)]
            async with served(tmp_path, people) as (server, client), trio.open_nursery() as nursery:
                granted: set[str] = set()
                entered = trio.Event()
                for name in crowd:
                    nursery.start_soon(_try, client, name, granted, entered)
                if round_ < KILLS - 1:
                    await trio.sleep(chance.uniform(0.02, 0.5))  # the moment is what this is about
                else:
                    await entered.wait()  # once at least amid those who come in, also on a slow machine
                server.process.kill()
                await server.process.wait()
                nursery.cancel_scope.cancel()
            found = _registered(tmp_path)
            assert granted <= found  # whoever was shown a token has an account
            assert registered <= found
            registered = found
        async with served(tmp_path, people) as (_, client):
            for name in names:
                response = await sign_in(client, name)
                assert response.status_code == (200 if name in registered else 303), name
    assert registered  # the kills came at moments that matter


async def _try(client: httpx.AsyncClient, name: str, granted: set[str], entered: trio.Event) -> None:
    """A registration for as long as the server lives. entered: somebody is in granted."""
    events: list[Message] = []
    try:
        response = await sign_in(client, name)
        if response.status_code == 303:
            async with listening(response.headers["location"]) as listener:
                events = await read(listener)
    except* (httpx.HTTPError, ConnectionClosed, HandshakeError, OSError, trio.BrokenResourceError):
        assert not events
    if events:
        check_story(events)
        assert events[-1]["eventType"] == "AUTHENTICATION"
        granted.add(name)
        entered.set()


def _registered(folder: Path) -> set[str]:
    """Who has an account; each must be whole. Reading also shows that the file is sound."""
    connection = sqlite3.connect(folder / "test.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute(CONSISTENT).fetchall()
        orphans = "SELECT count(*) FROM profile WHERE account_id NOT IN (SELECT id FROM account)"
        assert connection.execute(orphans).fetchone() == (0,)
    finally:
        connection.close()
    assert [row for row in rows if row[1:] != (1, 1, 1)] == []
    return {row[0] for row in rows}


async def test_a_stop_reaches_observers_past_those_that_never_read(tmp_path: Path) -> None:
    flood: list[Piece] = [line(message="x" * 900) * 50] * 40
    people = PeopleService(ada=Person("right", [*flood, trio.Event()]))
    async with people.listen(), served(tmp_path, people) as (server, client):
        location = await begin(client, "ada")
        async with deaf(location), deaf(location, stream=True), listening(location) as listener:
            for _ in range(2000):
                await listener.message()
            server.process.terminate()
            last = (await read(listener))[-1]
            assert last["eventType"] == "FAILURE"
            assert last["message"] == "The server is restarting. Please sign in again in a moment."
            assert await listener.close_code() == 1001
            with trio.fail_after(10):
                assert await server.process.wait() == 0


async def test_after_a_stop_the_registration_begins_anew(tmp_path: Path) -> None:
    person = Person("right", [*steps(1), trio.Event()])
    people = PeopleService(ada=person)
    async with people.listen():
        async with served(tmp_path, people) as (server, client):
            location = await begin(client, "ada")
            async with listening(location) as listener:
                first = await listener.message()
                server.process.terminate()
                check_story([first, *(await read(listener))])
            assert await server.process.wait() == 0
        person.script = quick()
        async with served(tmp_path, people) as (_, client):
            await register(client, "ada")


@pytest.mark.parametrize("signals", [1, 2])
async def test_a_stop_with_a_silent_source(tmp_path: Path, signals: int) -> None:
    people = PeopleService(ada=Person("right", [trio.Event()]))
    async with people.listen(), served(tmp_path, people) as (server, client):
        location = await begin(client, "ada")
        async with listening(location) as listener:
            for _ in range(signals):
                server.process.terminate()
            assert (await read(listener))[-1]["eventType"] == "FAILURE"
        with trio.fail_after(10):
            assert await server.process.wait() == 0
