"""The started server on PostgreSQL: every door, two nodes, keys, and a database that goes away and comes back."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from regserver.adapters.server_key import ServerKeyFault
from regserver.app import open_app
from regserver.config import load
from regserver.group import unwrapped
from regserver.ports.store import StoreFault
from tests.cli.shell import Shell
from tests.peer.postgres import Cluster
from tests.system.server import open_server, sign_up


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of a node on a new, migrated database."""
    name = new_database().rpartition("dbname=")[2]
    key = tmp_path / "shared.key"
    return (f"store.url={cluster.url(name)}", f"server.key={key}", "live.source=none")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


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
