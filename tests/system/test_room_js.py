"""A JavaScript client: the documentation's own example, run as it stands with `ws` from npm."""

import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import trio
from trio_websocket import WebSocketRequest, serve_websocket

from tests.peer.node import install_node_peer
from tests.peer.script import Script, running_script
from tests.system.server import ROOT, open_server, sign_up

PEER = ROOT / "tests" / "peer" / "room_client"


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where Node finds ws."""
    return install_node_peer(PEER)


def example(beginning: str) -> str:
    """The script of docs/rooms.md that begins so."""
    text = (ROOT / "docs" / "rooms.md").read_text()
    found = re.search(rf"```js\n({beginning}.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@asynccontextmanager
async def running(folder: Path, url: str, token: str) -> AsyncIterator[Script]:
    """Runs the example with nothing changed but the two things it leaves open: which server, which token."""
    script = example("import WebSocket").replace("// get token", repr(token))
    async with running_script(folder, script.replace("localhost:3000", url.partition("://")[2])) as client:
        yield client


async def test_the_example_hears_everything(folder: Path, tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as http:
        ann, bob, cid = [await sign_up(http, name) for name in ("ann", "bob", "cid")]
        async with running(folder, server.url, bob.token) as client:
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
        async with running(folder, server.url, ann.token) as client:
            await client.wait_for("Websocket connected")
            await server.stop(signal.SIGKILL)
            await client.wait_for(r"\[close\] Connection died")


# --- every ending that the page names
Ending = tuple[str, int]
"""The last text frame, "" for none, and the close code; 1006 cuts the connection."""

RESUMED = '{"type": "Resumed", "cursor": "one", "recovered": true, "missed": 0}'
ENDINGS: list[Ending] = [
    ("", 1000),
    ("", 1001),
    ("", 1006),
    ("", 1011),
    ("", 1013),
    ("BadCursor", 1008),
    ("MissingToken", 1008),
    ("BadToken", 1008),
    ("UserIsDeleted", 1008),
]


class Peer:
    """A server that ends each socket in the next of some ways. asked: the `since` of each."""

    def __init__(self, endings: list[Ending]) -> None:
        self._endings = endings
        self.asked: list[str | None] = []

    async def __call__(self, request: WebSocketRequest) -> None:
        self.asked.append(parse_qs(urlsplit(request.path).query, True).get("since", [None])[-1])
        word, code = self._endings[len(self.asked) - 1]
        connection = await request.accept()
        await connection.send_message(word or RESUMED)
        if code == 1006:
            await trio.aclose_forcefully(connection._stream)
        else:
            await connection.aclose(code, word)


@asynccontextmanager
async def peer_serving(endings: list[Ending]) -> AsyncIterator[tuple[Peer, str]]:
    peer = Peer(endings)
    async with trio.open_nursery() as nursery:
        server = await nursery.start(partial(serve_websocket, peer, "127.0.0.1", 0, None))
        yield peer, f"ws://127.0.0.1:{server.port}"
        nursery.cancel_scope.cancel()


async def test_the_example_takes_every_ending(folder: Path) -> None:
    async with peer_serving(ENDINGS) as (_, url):
        for word, code in ENDINGS:
            async with running(folder, url, "x") as client:
                if word:
                    await client.wait_for(rf"\[refused\] {word}\n")
                died = r"\[close\] Connection died"
                await client.wait_for(
                    died if code == 1006 else rf"\[close\] .*cleanly, code={code} reason={word}\n"
                )
                assert "Error" not in client.printed


PRELUDE = """
import { WebSocket as Socket } from 'ws';
globalThis.WebSocket = class extends Socket {
  constructor(url) { super(url); this.on('error', () => {}); } // a browser needs none
};
const wait = setTimeout;
globalThis.setTimeout = (call) => wait(call, 1);
const token = 'x', show = () => {};
const reloadEverything = () => console.log('reload');
const signInAgain = (word) => { console.log(`stopped ${word}`); process.exit(0); };
"""


async def test_the_resuming_example_comes_back_unless_it_is_refused(folder: Path) -> None:
    script = PRELUDE + example("let cursor") + "connect();\n"
    again, refusals = ENDINGS[:6], ENDINGS[6:]
    for refusal in refusals:
        async with (
            peer_serving([*again, ("", 1000), refusal]) as (peer, url),
            running_script(folder, script.replace("wss://example.org", url)) as client,
        ):
            await client.wait_for(f"stopped {refusal[0]}")
            assert client.printed.splitlines()[:-1].count("reload") == 1
        assert peer.asked == ["", *["one"] * 5, "", "one"]
