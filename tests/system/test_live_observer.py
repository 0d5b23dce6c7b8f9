"""Observers of every kind on the started server: early, late, slow, not reading, disconnected, and sending."""

import re
from pathlib import Path

import httpx
import trio
from trio_websocket import ConnectionClosed

from tests.live import check_story
from tests.peer.people_service import DONE, NAME, PeopleService, Person, Piece, line
from tests.system.live_client import begin, deaf, read, served, until, watch
from tests.system.server import listening

MANY = 4000
TEXT = "x" * 200


def long_story(count: int = MANY) -> list[Piece]:
    """Far more than a socket's queue and what the kernel holds for both sides, in pieces of 50 lines."""
    lines = [line(step=number, totalSteps=count, message=TEXT) for number in range(1, count + 1)]
    return [b"".join(lines[start : start + 50]) for start in range(0, count, 50)]


async def test_a_long_history_reaches_late_and_slow_observers_whole(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right", [*long_story(), NAME, DONE]))
    async with people.listen(), served(tmp_path, people, ("rooms.socket_queue=4KiB",)) as (_, client):
        location = await begin(client, "ada")
        events = await watch(location)
        assert len(events) == MANY + 2
        async with listening(location) as late:
            slow = [await late.message() for _ in range(50)]  # lets the rest pile up, then goes on
            assert (await watch(location)) == events
            slow += await read(late)
            assert slow == events
            assert await late.close_code() == 1000


async def test_deaf_observers_change_nothing_and_end_with_1013(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right", [*long_story(), NAME, DONE]))
    async with people.listen(), served(tmp_path, people) as (_, client):
        location = await begin(client, "ada")
        async with deaf(location), deaf(location):
            events = await watch(location)
            assert events[-1]["eventType"] == "AUTHENTICATION"
            assert await watch(location) == events

            async def given_up() -> bool:
                return await figure(client, 'regserver_sockets_closed_total{code="1013"}') == 2

            await until(given_up)
        assert await watch(location) == events


async def figure(client: httpx.AsyncClient, name: str) -> float:
    """One of the server's figures; 0 while it is not shown."""
    text = (await client.get("/metrics")).text
    found = re.search(rf"(?m)^{re.escape(name)} (\S+)$", text)
    return float(found[1]) if found else 0.0


async def test_dead_observers_change_nothing(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [*long_story(100), go, NAME, DONE]))
    async with people.listen(), served(tmp_path, people) as (_, client):
        location = await begin(client, "ada")
        for _ in range(20):
            async with deaf(location):
                pass  # closed without a word
        async with listening(location) as listener:
            for _ in range(100):
                await listener.message()
            go.set()
            events = await read(listener)
        assert events[-1]["eventType"] == "AUTHENTICATION"


async def test_what_clients_say_is_dropped(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [line(message="One"), go, NAME, DONE]))
    async with people.listen(), served(tmp_path, people) as (_, client):
        location = await begin(client, "ada")
        async with listening(location) as listener:
            await listener.message()
            for number in range(200):
                await listener.say("x" * 1000 if number % 2 else b"\x00" * 1000)
            go.set()
            assert (await read(listener))[-1]["eventType"] == "AUTHENTICATION"
            assert await listener.close_code() == 1000


async def test_a_hundred_observers_hear_the_same(tmp_path: Path) -> None:
    go = trio.Event()
    people = PeopleService(ada=Person("right", [*long_story(50), go, NAME, DONE]))
    async with people.listen(), served(tmp_path, people) as (_, client):
        location = await begin(client, "ada")
        stories = []

        async def observe() -> None:
            stories.append(await watch(location))

        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(observe)
            await trio.lowlevel.checkpoint()
            go.set()
        check_story(stories[0])
        assert stories == [stories[0]] * 100


async def test_unknown_registrations_are_1008(tmp_path: Path) -> None:
    async with PeopleService().listen() as people, served(tmp_path, people) as (server, _):
        for identity in ("u-00000000-0000-4000-8000-000000000000", "x", "%20", "u-"):
            async with listening(f"{server.socket_url}/register/{identity}") as listener:
                assert await listener.close_code() == 1008


async def close_code(location: str) -> int:
    """How listening there ends, whatever is said before."""
    async with listening(location) as listener:
        while True:
            try:
                await listener.text()
            except ConnectionClosed as closed:
                return int(closed.reason.code) if closed.reason else 0


async def test_a_finished_registration_is_forgotten(tmp_path: Path) -> None:
    people = PeopleService(ada=Person("right"))
    async with people.listen(), served(tmp_path, people, ("live.replay=1s",)) as (_, client):
        location = await begin(client, "ada")
        assert await close_code(location) == 1000
        assert await close_code(location) == 1000

        async def is_forgotten() -> bool:
            return await close_code(location) == 1008

        await until(is_forgotten)
