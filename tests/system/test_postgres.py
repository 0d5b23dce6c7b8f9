"""The started server on PostgreSQL: every door, two nodes, keys, and a database that goes away and comes back."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import psycopg
import pytest
import trio

from regserver.adapters.server_key import ServerKey, ServerKeyFault
from regserver.app import open_app
from regserver.config import load
from regserver.group import unwrapped
from regserver.ports.store import StoreFault
from regserver.store.migration import migrations
from regserver.store.sqlite import connect
from tests.cli.shell import Shell
from tests.peer.postgres import Cluster
from tests.system.server import Person, listening, open_server, run_command, sign_up


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of a node on a new, migrated database."""
    name = new_database().rpartition("dbname=")[2]
    key = tmp_path / "shared.key"
    return (f"store.url={cluster.url(name)}", f"server.key={key}", "live.source=none")


def words(settings: tuple[str, ...]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


async def start_here(settings: tuple[str, ...]) -> None:
    """Opens everything behind the front door, in this process, and closes it again."""
    with unwrapped(StoreFault, ServerKeyFault):
        async with open_app(load(None, settings, {})):
            pass


async def test_two_nodes_and_a_command_know_the_same_account(
    tmp_path: Path, shared: tuple[str, ...], shell: Shell
) -> None:
    named = (*shared, "node.name=one", "node.lease=1s")
    async with open_server(tmp_path, named) as one, one.client() as client:
        ann = await sign_up(client, "ann")
        answer = await client.get("/health/alive")
        assert answer.headers["x-request-id"].startswith("one-")
        async with open_server(tmp_path, (*shared, "node.name=two")) as two, two.client() as other:
            login = {"username": "ann", "password": "ann's long password"}
            assert (await other.post("/login", json=login)).json()["userId"] == ann.id
            with pytest.raises(StoreFault, match="a node named one runs already"):
                await start_here(named)
            assert await two.stop() == 0
        done = await shell.run("user", "show", "ann", "--json", settings=shared)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)["number"] == ann.id
        assert (await one.stop(signal.SIGKILL)) == -signal.SIGKILL
    await start_here(named)  # waits for the lease of the killed one
    await start_here((*shared, "node.name=one", "node.lease=10m"))  # the last one has left


async def test_another_key_is_refused_by_a_file_too(tmp_path: Path, shell: Shell) -> None:
    """A store from before there were fingerprints takes the key that is there."""
    here = (f"store.url=sqlite:{tmp_path / 'test.db'}", "live.source=none")
    await start_here(here)
    (tmp_path / "test.key").write_bytes(bytes(32))
    with pytest.raises(ServerKeyFault, match=r"test\.key: not the key that .*test\.db was made with"):
        await start_here(here)
    done = await shell.run("invite", "list")
    assert (done.code, "not the key that" in done.err) == (1, True)
    with closing(connect(tmp_path / "test.db")) as connection:
        connection.execute("DELETE FROM server_key")
    await start_here(here)
    with closing(connect(tmp_path / "test.db")) as connection:
        kept = connection.execute("SELECT fingerprint FROM server_key").fetchall()
    assert kept == [(ServerKey(bytes(32)).fingerprint,)]


async def test_no_password_is_shown(shared: tuple[str, ...], shell: Shell) -> None:
    url, password = shared[0].replace("test@", "nobody:s3cret@"), "store.password=other-s3cret"
    shown = await shell.run("config", "show", settings=(url, shared[1]))
    apart = await shell.run("config", "show", settings=(shared[0], shared[1], password))
    refused = await shell.run("user", "show", "ann", settings=(url, shared[1]))
    assert (shown.code, apart.code, refused.code) == (0, 0, 1)
    assert 'role "nobody" does not exist' in refused.err
    assert "s3cret" not in "".join((*map(str, shown), *map(str, apart), *map(str, refused)))


async def test_people_of_two_nodes_are_present_to_each_other(tmp_path: Path, shared: tuple[str, ...]) -> None:
    """Until one of the nodes is killed."""
    quick = (*shared, "node.lease=1s")
    async with (
        open_server(tmp_path, (*quick, "node.name=one")) as one,
        open_server(tmp_path, (*quick, "node.name=two")) as two,
        one.client() as client,
    ):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        frame = {"type": "Presence", "roomId": room, "online": True}
        async with listening(f"{one.socket_url}/room/websocket?token={ann.token}&presence=true") as anns:
            async with listening(f"{two.socket_url}/room/websocket?token={bob.token}&presence=true") as bobs:
                assert await anns.message() == frame | {"userId": bob.id}
                assert await bobs.message() == frame | {"userId": ann.id}
                await ann.call("POST", f"/room/typing/{room}")
                assert await bobs.message() == {"type": "Typing", "userId": ann.id, "roomId": room}
                assert (await two.stop(signal.SIGKILL)) == -signal.SIGKILL
            assert await anns.message() == frame | {"userId": bob.id, "online": False}


async def test_another_key_is_refused(tmp_path: Path, shared: tuple[str, ...], shell: Shell) -> None:
    await start_here(shared)
    (tmp_path / "other.key").write_bytes(bytes(32))
    for file, said in (("other.key", "not the key that postgresql://"), ("none.key", "No such file")):
        settings = (*shared, f"server.key={tmp_path / file}")
        with pytest.raises(ServerKeyFault, match=said):
            await start_here(settings)
        done = await shell.run("user", "show", "ann", settings=settings)
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert said in done.err
    assert not (tmp_path / "none.key").exists()


async def test_the_schema_of_a_later_version_is_refused(shared: tuple[str, ...], shell: Shell) -> None:
    url = shared[0].removeprefix("store.url=")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO migration (number, name, at) VALUES (9999, 'later', 0)")
    with pytest.raises(StoreFault, match="newer regserver"):
        await start_here(shared)
    for command in (("migrate",), ("user", "show", "ann"), ("doctor", "--offline")):
        done = await shell.run(*command, settings=shared)
        assert done.code == 1
        assert "it was used by a newer regserver" in done.err + done.out


async def test_a_migration_by_hand(cluster: Cluster, tmp_path: Path, shell: Shell) -> None:
    name = cluster.create_database()
    settings = (f"store.url={cluster.url(name)}", f"server.key={tmp_path / 'key'}")
    early = await shell.run("user", "show", "ann", settings=settings)
    assert (early.code, "run `regserver migrate`" in early.err) == (1, True)
    done = await shell.run("migrate", settings=settings)
    shown = f"postgresql://127.0.0.1:{cluster.port}/{name}"
    assert done == (0, f"{shown}: schema version {migrations()[-1].number}\n", "")
    back = await shell.run("migrate", "--rollback", settings=settings)
    assert (back.code, back.err.startswith(f"regserver: {shown}: no copy is kept")) == (1, True)


# --- a database that goes away
UNAVAILABLE: tuple[tuple[str, str, object, int, bytes], ...] = (
    ("POST", "/login", {"username": "ann", "password": "ann's long password"}, 503, b"StoreUnavailable"),
    ("POST", "/room/create", {}, 503, b"StoreUnavailable"),
    ("GET", "/someone/check", None, 500, b"INTERNAL_ERROR"),
    ("POST", "/rpc", {"jsonrpc": "2.0", "id": 1, "method": "getState", "params": {"phone": "+380000000000"}}, 200, b'"code":500'),
)  # fmt: skip
"""A request of each door, and how it is answered while the store is away."""


async def test_a_database_that_goes_and_comes_back(tmp_path: Path, shell: Shell) -> None:
    with Cluster.create() as own:
        settings = (
            f"store.url={own.url(own.create_database())}",
            f"server.key={tmp_path / 'key'}",
            "store.pool_timeout=300ms",
        )
        async with open_server(tmp_path, settings) as server, server.client() as client:
            ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            async with listening(f"{server.socket_url}/room/websocket?token={bob.token}") as socket:
                await ann.post(f"/room/post/{room}", {"content": "before"})
                assert (await socket.message())["type"] == "NewPost"
                await trio.to_thread.run_sync(own.stop)
                await hold_unavailable(ann, client)
                away = await run_command("serve", *words((*settings, "node.name=late")), folder=tmp_path)
                said = away.stderr.decode().splitlines()[-1]
                assert (away.returncode, said.startswith("regserver: PostgreSQL: connection failed")) == (
                    1,
                    True,
                )
                await trio.to_thread.run_sync(own.start)
                with trio.fail_after(30):
                    while (await client.get("/health/ready")).json()["failing"]:  # noqa: ASYNC110  (nothing tells)
                        await trio.sleep(0.05)
                await ann.post(f"/room/post/{room}", {"content": "after"})
                assert (await socket.message())["content"] == "after"
            assert (await client.get("/health/ready")).json()["parts"]["pool"] == "ok"
            assert b"regserver_store_connections_lost_total" in (await client.get("/metrics")).content
            assert await server.stop() == 0


async def hold_unavailable(ann: Person, client: httpx.AsyncClient) -> None:
    for method, path, body, status, said in UNAVAILABLE:
        answer = await ann.call(method, path, body)
        assert (answer.status_code, said in answer.content) == (status, True), answer.content
    ready = await client.get("/health/ready")
    assert ready.status_code == 503
    assert "store" in ready.json()["failing"]
    assert "lag" not in ready.json()["failing"]


def test_two_nodes_for_trying_out() -> None:
    command = [sys.executable, "-m", "tests.peer.run_postgres", "0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # also where the tests run behind
    ) as trial:
        try:
            assert trial.stdout is not None
            lines = [trial.stdout.readline() for _ in range(5)]
            database, one, two = [line.split()[-1] for line in lines[1:4]]
            ann = {"username": "annabella", "email": "a@example.org", "password": "a long enough password"}
            token = httpx.post(f"{one}login/register", json=ann, timeout=20).json()["token"]
            shown = httpx.get(f"{two}login/info", headers={"authorization": f"Bearer {token}"}, timeout=20)
            assert shown.json()["user"]["username"] == "annabella"
            trial.send_signal(signal.SIGINT)
            assert trial.wait(40) == 0
        finally:
            trial.terminate()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(database)
