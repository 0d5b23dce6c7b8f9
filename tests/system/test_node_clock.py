"""Two nodes whose clocks are ten minutes apart on one real database: each takes what the other has written for what it is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from regserver.adapters import system
from regserver.adapters.system import SystemClock
from regserver.app import open_app
from regserver.app.outside import Outside
from regserver.config import load
from regserver.domain.instant import MINUTE, Duration, Instant
from regserver.domain.operator_key import ENTRY_LIFE
from regserver.ports.clock import machine_time
from regserver.store.postgres.driver import connect
from tests.cli.shell import Shell
from tests.peer.people_service import PeopleService, Person
from tests.peer.postgres import Cluster
from tests.system.live_client import begin, read, watch
from tests.system.server import BASIC, listening, sign_up
from tests.system.test_live_nodes import script

APART = Duration(5 * MINUTE)
LEASE = 1.0


class WrongClock(SystemClock):
    """Off by so many milliseconds."""

    def __init__(self, off: int) -> None:
        self._off = off

    def now(self) -> Instant:
        return Instant(super().now() + self._off)


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of every node on a new database."""
    url, key = cluster.url(new_database().rpartition("dbname=")[2]), tmp_path / "shared.key"
    short = ("login.token_ttl=60s", "live.replay=30s", f"node.lease={LEASE:g}s", "live.source=http")
    return (*BASIC, f"store.url={url}", f"server.key={key}", f"server.data={tmp_path}", *short)


@asynccontextmanager
async def node(settings: tuple[str, ...], name: str, off: int) -> AsyncIterator[str]:
    """A node in this process, on a port of its own; its address."""
    async with AsyncExitStack() as stack:
        loaded = load(None, (*settings, f"node.name={name}"), {})
        app = await stack.enter_async_context(open_app(loaded, None, Outside(clock=WrongClock(off))))
        (url, *_) = await stack.enter_async_context(app.front.open(loaded.binds))
        yield url
        for stop in app.whole.stop:
            await stop()


@asynccontextmanager
async def opened(shared: tuple[str, ...], **people: Person) -> AsyncIterator[tuple[str, str, PeopleService]]:
    service = PeopleService(**people)
    async with service.listen():
        given = (*shared, f"live.http.url={service.url}")
        async with node(given, "ahead", APART) as ahead, node(given, "behind", -APART) as behind:
            yield ahead, behind, service


async def test_tokens_of_a_minute_are_good_at_both(shared: tuple[str, ...]) -> None:
    async with opened(shared) as (ahead, behind, _):
        for made, used in ((ahead, behind), (behind, ahead)):
            async with httpx.AsyncClient(base_url=made) as maker, httpx.AsyncClient(base_url=used) as user:
                person = await sign_up(maker, "ann" if made == ahead else "bob")
                headers = {"authorization": f"Bearer {person.token}"}
                for client in (maker, user):
                    answer = await client.get("/login/info", headers=headers)
                    assert answer.status_code == 200, answer.content
                    ready = (await client.get("/health/ready")).json()
                    assert {ready["parts"][name] for name in ("store", "pool", "link", "lag")} == {"ok"}, (
                        ready
                    )


async def test_the_audit_is_dated_by_one_clock(shared: tuple[str, ...]) -> None:
    async with (
        opened(shared) as (ahead, behind, _),
        httpx.AsyncClient(base_url=ahead) as first,
        httpx.AsyncClient(base_url=behind) as second,
    ):
        await sign_up(first, "ann")
        for client in (first, second):
            answer = await client.post("/login", json={"username": "ann", "password": "ann's long password"})
            assert answer.status_code == 200
    url = next(each for each in shared if each.startswith("store.url=")).removeprefix("store.url=")
    async with await connect(url) as connection:
        asked = "SELECT abs(extract(epoch FROM now()) * 1000 - at)::bigint FROM audit ORDER BY number"
        off = [row[0] for row in (await connection.execute(asked)).rows()]
    assert len(off) >= 2
    assert max(off) < MINUTE


async def test_a_registration_is_watched_and_replayed_at_both(shared: tuple[str, ...]) -> None:
    """And neither node holds the other to be dead, though the source takes longer than that would need."""
    for number in (0, 1):
        go = trio.Event()
        async with opened(shared, **{f"person{number}": Person("right", script(go))}) as (*urls, _):
            here, there = urls[number], urls[1 - number]
            async with httpx.AsyncClient(base_url=here) as client:
                location = await begin(client, f"person{number}")
            elsewhere = f"ws{there.removeprefix('http')}/register/{location.rpartition('/')[2]}"
            async with listening(f"{elsewhere}?eta=1") as watching:
                assert (await watching.message())["step"] == 1
                await trio.sleep(4 * LEASE)
                go.set()
                told = await read(watching)
            assert told[-1]["eventType"] == "AUTHENTICATION"
            left = [event["etaSeconds"] for event in told[:-1]]
            assert all(seconds is None or 0 <= seconds < 30 for seconds in left), left
            assert await watch(elsewhere) == await watch(location)


async def test_people_are_present_at_both(shared: tuple[str, ...]) -> None:
    async with opened(shared) as (ahead, behind, _), httpx.AsyncClient(base_url=ahead) as client:
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        places = [
            f"ws{url.removeprefix('http')}/room/websocket?presence=true&token=" for url in (ahead, behind)
        ]
        frame = {"type": "Presence", "roomId": room, "online": True}
        async with listening(places[0] + ann.token) as anns:
            async with listening(places[1] + bob.token) as bobs:
                assert await anns.message() == frame | {"userId": bob.id}
                assert await bobs.message() == frame | {"userId": ann.id}
                await trio.sleep(3 * LEASE)
            assert await anns.message() == frame | {"userId": bob.id, "online": False}


async def test_commands_go_by_it_too(
    shared: tuple[str, ...], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine whose own clock is ten minutes ahead."""
    shared = (*shared, "live.source=none")
    async with node(shared, "one", 0):
        pass
    monkeypatch.setattr(system, "machine_time", lambda: Instant(machine_time() + 2 * APART))
    for command in (
        ("user", "create", "ann", "--no-password"),
        ("invite", "create"),
        ("key", "create", "home", "--role", "read"),
        ("webhook", "add", "https://example.org/hook"),
        ("user", "reset-link", "ann", "--expires", "1m"),
        ("key", "link"),
    ):
        done = await shell.run(*command, settings=shared)
        assert done.code == 0, done
    url = next(each for each in shared if each.startswith("store.url=")).removeprefix("store.url=")
    lives = {
        "account.created_at": 0,
        "invitation.created_at": 0,
        "operator_key.created_at": 0,
        "webhook.created_at": 0,
        "audit.at": 0,
        "account_link.expires_at": MINUTE,
        "operator_entry.expires_at": ENTRY_LIFE,
    }
    async with await connect(url) as connection:
        for column, life in lives.items():
            asked = f"SELECT {column} - extract(epoch FROM now()) * 1000 FROM {column.partition('.')[0]}"  # noqa: S608  (of this test)
            ahead = [float(row[0]) for row in (await connection.execute(asked)).rows()]
            assert ahead, column
            assert all(abs(each - life) < MINUTE for each in ahead), (column, ahead)
