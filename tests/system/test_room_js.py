"""A JavaScript client: the documentation's own example, run as it stands with `ws` from npm."""

import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.peer.node import install_node_peer
from tests.system.server import ROOT, Server, open_server, sign_up

PEER = ROOT / "tests" / "peer" / "room_client"


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where Node finds ws."""
    return install_node_peer(PEER)


def example() -> str:
    """The first script of docs/rooms.md, which opens a socket."""
    found = re.search(r"```js\n(import WebSocket.*?)```", (ROOT / "docs" / "rooms.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


class Client:
    """A running script, and what it has printed."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        self.printed = ""

    async def wait_for(self, pattern: str) -> str:
        assert self._process.stdout is not None
        with trio.fail_after(20):
            while (found := re.search(pattern, self.printed)) is None:
                piece = await self._process.stdout.receive_some()
                assert piece, f"the script ended:\n{self.printed}"
                self.printed += piece.decode()
        return found.group()


@asynccontextmanager
async def running(folder: Path, server: Server, token: str) -> AsyncIterator[Client]:
    """Runs the example with nothing changed but the two things it leaves open: which server, which token."""
    host = server.url.removeprefix("http://")
    script = example().replace("// get token", repr(token)).replace("localhost:3000", host)
    path = folder / f"example-{os.getpid()}.mjs"
    await trio.Path(path).write_text(script)
    process = await trio.lowlevel.open_process(
        ["node", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        await process.wait()
        path.unlink()


async def test_the_example_hears_everything(folder: Path, tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as http:
        ann, bob, cid = [await sign_up(http, name) for name in ("ann", "bob", "cid")]
        async with running(folder, server, bob.token) as client:
            await client.wait_for("Websocket connected")
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            printed = await client.wait_for(r"{ type: 'RoomCreated'[^}]*}")
            assert printed == f"{{ type: 'RoomCreated', creatorId: {ann.id}, roomId: {room} }}"
            await ann.post(f"/room/post/{room}", {"content": "with milk 🫖"})
            printed = await client.wait_for(r"(?s){\s*type: 'NewPost'.*?}")
            assert "content: 'with milk 🫖'" in printed
            assert re.search(r"createdAt: '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'", printed)
            await ann.post(f"/room/invite/{room}", {"otherUsers": [cid.id]})
            assert f"newUsers: [ {cid.id} ]" in await client.wait_for(r"(?s){\s*type: 'NewUsersInRoom'.*?}")
            await cid.call("DELETE", "/login/delete")
            assert "userDeleted: true" in await client.wait_for(r"(?s){\s*type: 'UserLeftRoom'.*?}")
            await server.stop(signal.SIGTERM)
            await client.wait_for(r"\[close\]")


async def test_the_example_survives_a_server_that_dies(folder: Path, tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as http:
        ann = await sign_up(http, "ann")
        async with running(folder, server, ann.token) as client:
            await client.wait_for("Websocket connected")
            await server.stop(signal.SIGKILL)
            await client.wait_for(r"\[close\] Connection died")
