"""Two real nodes on one real database: a registration that runs on one is watched through the other, whatever becomes of it."""

import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from tests.live import Message, check_story
from tests.peer.people_service import DONE, NAME, PeopleService, Person, Piece, line
from tests.peer.postgres import Cluster
from tests.system.live_client import begin, credentials, events_of, read, sign_in, watch
from tests.system.server import Server, listening, open_server

FAILED = "The server that registered you has failed. Please sign in again."


class Nodes:
    """Two servers with one source, whose people go on when `go` is set."""

    def __init__(self, one: Server, two: Server, people: PeopleService) -> None:
        self.one = one
        self.two = two
        self.people = people

    def elsewhere(self, location: str) -> str:
        """The same registration at the other node."""
        return location.replace(self.one.socket_url, self.two.socket_url)


def script(*go: trio.Event) -> list[Piece]:
    said: list[Piece] = [
        line(step=1, totalSteps=3, message="Étape 1"),
        go[0],
        line(step=2, message="Step 2"),
        *go[1:],
    ]
    return [*said, line(step=3, message="Step 3"), NAME, DONE]


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of every node on a new database."""
    name = new_database().rpartition("dbname=")[2]
    key = tmp_path / "shared.key"
    return (f"store.url={cluster.url(name)}", f"server.key={key}", "node.lease=1s", "live.source=http")


@asynccontextmanager
async def opened(folder: Path, shared: tuple[str, ...], **people: Person) -> AsyncIterator[Nodes]:
    service = PeopleService(**people)
    async with service.listen():
        given = (*shared, f"live.http.url={service.url}")
        async with (
            open_server(folder, (*given, "node.name=one")) as one,
            open_server(folder, (*given, "node.name=two")) as two,
        ):
            yield Nodes(one, two, service)


async def streamed(client: httpx.AsyncClient, location: str, last: str = "0") -> list[Message]:
    """What the stream of events tells, to its end."""
    events = list[Message]()
    path = "/register/" + location.rpartition("/")[2] + "/events"
    async with client.stream("GET", path, headers={"last-event-id": last}) as response:
        assert response.status_code == 200
        async for name, value in events_of(response):
            if name == "data":
                events.append(json.loads(value))
    return events


async def test_it_is_watched_through_any_node(tmp_path: Path, shared: tuple[str, ...]) -> None:
    """By the socket and by the stream: early, late, and behind an event that was seen at the other node."""
    go = trio.Event()
    async with (
        opened(tmp_path, shared, ada=Person("right", script(go))) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        location = await begin(first, "ada")
        stories = dict[str, list[Message]]()

        async def keep(name: str, reading: Callable[..., Any], *given: Any) -> None:
            stories[name] = await reading(*given)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep, "here", watch, location)
            nursery.start_soon(keep, "socket", watch, nodes.elsewhere(location))
            nursery.start_soon(keep, "stream", streamed, second, location)
            async with listening(nodes.elsewhere(location)) as early:
                assert (await early.message())["message"] == "Étape 1"
                go.set()
        told = stories["here"]
        check_story(told)
        assert told[-1]["eventType"] == "AUTHENTICATION"
        assert stories["socket"] == stories["stream"] == told
        assert await watch(nodes.elsewhere(location)) == told
        assert await streamed(second, location, "2") == told[2:]
        answer = await second.get(
            "/register/" + location.rpartition("/")[2] + "/events",
            headers={"last-event-id": str(len(told))},
        )
        assert answer.status_code == 204
        token = told[-1]["additionalData"]["token"]
        info = await second.get("/login/info", headers={"authorization": f"Bearer {token}"})
        assert info.json()["user"]["username"] == "ada"


async def test_a_second_sign_in_at_the_other_node_joins(tmp_path: Path, shared: tuple[str, ...]) -> None:
    go = trio.Event()
    async with (
        opened(tmp_path, shared, ada=Person("right", script(go))) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        places = list[str]()

        async def enter(client: httpx.AsyncClient) -> None:
            places.append((await begin(client, "ada")).rpartition("/")[2])

        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(enter, (first, second)[number % 2])
        assert len(set(places)) == 1
        assert nodes.people.count("/base/profile") == 1
        assert (await sign_in(second, "ada", "wrong")).status_code == 401
        go.set()
        told = await watch(f"{nodes.two.socket_url}/register/{places[0]}")
        answer = await second.post("/login", json=credentials("ada"))
        assert answer.json()["userId"] == told[-1]["additionalData"]["userId"]


async def test_so_many_run_on_both_together(tmp_path: Path, shared: tuple[str, ...]) -> None:
    go = trio.Event()
    people = {name: Person("right", script(go)) for name in ("ada", "bob")}
    async with (
        opened(tmp_path, (*shared, "live.max_running=1"), **people) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        location = await begin(first, "ada")
        full = await sign_in(second, "bob")
        assert (full.status_code, full.json()) == (503, {"error": "SourceUnavailable"})
        joined = (await begin(second, "ada")).rpartition("/")[2]
        assert location.endswith(joined)
        go.set()
        await watch(location)
        assert (await watch(await begin(second, "bob")))[-1]["eventType"] == "AUTHENTICATION"


async def test_a_killed_node_fails_its_registrations_everywhere(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    """Within seconds, for those who watch and those who come later; and the person can begin again."""
    never, go = trio.Event(), trio.Event()
    async with (
        opened(tmp_path, shared, ada=Person("right", script(go, never))) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        location = await begin(first, "ada")
        async with listening(nodes.elsewhere(location)) as there:
            assert (await there.message())["step"] == 1
            go.set()
            assert (await there.message())["step"] == 2
            assert await nodes.one.stop(signal.SIGKILL) == -signal.SIGKILL
            with trio.fail_after(10):
                last = await there.message()
                assert await there.close_code() == 1000
        assert last == {
            "eventType": "FAILURE",
            "step": 2,
            "totalSteps": 3,
            "message": FAILED,
            "additionalData": {},
        }
        assert (await watch(nodes.elsewhere(location)))[-1] == last
        assert (await streamed(second, location))[-1] == last
        nodes.people.people["ada"].script = script(go)
        again = await watch(await begin(second, "ada"))
        assert again[-1]["eventType"] == "AUTHENTICATION"


async def test_a_node_that_was_held_up_makes_no_account_of_what_others_have_ended(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    """It comes back after they took it for dead: its own observers read the same end."""
    go = trio.Event()
    async with (
        opened(tmp_path, shared, ada=Person("right", script(go))) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        location = await begin(first, "ada")
        async with listening(location) as here, listening(nodes.elsewhere(location)) as there:
            assert (await here.message())["step"] == (await there.message())["step"] == 1
            nodes.one.process.send_signal(signal.SIGSTOP)
            assert (await there.message())["message"] == FAILED
            go.set()
            nodes.one.process.send_signal(signal.SIGCONT)
            assert (await read(here))[-1]["message"] == FAILED
            assert await here.close_code() == 1000
        again = await watch(nodes.elsewhere(await begin(first, "ada")))
        assert again[-1]["eventType"] == "AUTHENTICATION"
        assert (await sign_in(second, "ada")).json()["userId"] == again[-1]["additionalData"]["userId"]


async def test_a_node_that_stops_says_so_at_the_other(tmp_path: Path, shared: tuple[str, ...]) -> None:
    """And those who watch through the one that stops go on at the other."""
    go = trio.Event()
    people = {"ada": Person("right", script(trio.Event())), "bob": Person("right", script(go))}
    async with (
        opened(tmp_path, shared, **people) as nodes,
        nodes.one.client() as first,
        nodes.two.client() as second,
    ):
        adas, bobs = await begin(first, "ada"), await begin(second, "bob")
        path = "/register/" + bobs.rpartition("/")[2]
        async with (
            listening(nodes.elsewhere(adas)) as there,
            listening(nodes.one.socket_url + path) as here,
        ):
            assert (await there.message())["step"] == (await here.message())["step"] == 1
            assert await nodes.one.stop() == 0
            assert (await read(there))[-1]["message"].startswith("The server is restarting.")
            assert await there.close_code() == 1000
            assert await here.close_code() == 1001
        go.set()
        assert (await streamed(second, bobs, "1"))[-1]["eventType"] == "AUTHENTICATION"


async def test_an_address_that_nobody_knows(tmp_path: Path, shared: tuple[str, ...]) -> None:
    async with opened(tmp_path, shared, ada=Person("right")) as nodes, nodes.two.client() as second:
        for name in ("u-0c7e7a9e-0a8b-4b7e-9c55-0123456789ab", "x", "%00"):
            async with listening(f"{nodes.two.socket_url}/register/{name}") as listener:
                assert await listener.close_code() == 1008
            answer = await second.get(f"/register/{name}/events")
            assert (answer.status_code, answer.json()) == (404, {"error": "RegistrationNotFound"})
