"""Webhooks of a started server: each change is told to the receiver of the document, and a kill -9 loses nothing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import trio
from standardwebhooks.webhooks import Webhook as Verifier

from tests.peer.http import Answer, Asked, HttpPeer, open_http_peer
from tests.system.server import ROOT, Server, open_server, run_command, sign_up

DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
PRIVATE = "webhook.allow_private=true"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def add(folder: Path, url: str, *more: str) -> str:
    """Adds a webhook beside the running server; its secret."""
    place = ("--set", f"store.url=sqlite:{folder / 'test.db'}", "--set", PRIVATE)
    done = await run_command("webhook", "add", url, "--json", *more, *place, folder=folder)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["secret"])


@asynccontextmanager
async def receiver_of_the_document(folder: Path, secret: str, port: int) -> AsyncIterator[trio.Process]:
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    (folder / "receiver.py").write_text(code, "utf-8")
    given = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    process = await trio.lowlevel.open_process(
        [sys.executable, str(folder / "receiver.py")],
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stdout is not None
            await process.stdout.aclose()


async def lines_of(process: trio.Process, count: int) -> list[str]:
    assert process.stdout is not None
    read = b""
    with trio.fail_after(30):
        while read.count(b"\n") < count:
            read += await process.stdout.receive_some()
    return read.decode().splitlines()


async def test_the_receiver_of_the_document_is_told_of_every_change(tmp_path: Path) -> None:
    port, key = free_port(), f"whsec_{b64encode(bytes(32)).decode()}"

    def allow(asked: Asked) -> Answer:
        return Answer(403 if asked.json["data"]["username"] == "eve" else 204)

    async with (
        open_http_peer(allow) as gate,
        open_server(
            tmp_path,
            [PRIVATE, f"webhook.before_sign_up.url={gate.url}", f"webhook.before_sign_up.secret={key}"],
        ) as server,
        server.client() as client,
    ):
        refused = await client.post(
            "/login/register",
            json={"username": "eve", "email": "eve@example.org", "password": "eve's long password"},
        )
        assert (refused.status_code, refused.json()["error"]) == (403, "RegistrationClosed")
        assert Verifier(key).verify(gate.asked[0].body, gate.asked[0].headers)["data"] == {
            "door": "rooms",
            "invited": False,
            "username": "eve",
            "email": "eve@example.org",
        }
        secret = await add(tmp_path, f"http://127.0.0.1:{port}/hooks")
        async with receiver_of_the_document(tmp_path, secret, port) as receiver:
            ann, bob = await sign_up(client, "ann"), await sign_up(client, "bob")
            await client.post("/login", json={"username": "ann", "password": "wrong"})
            headers = {"authorization": f"Bearer {ann.token}"}
            made = await client.post("/room/create", json={"otherUsers": [bob.id]}, headers=headers)
            room = made.json()["roomId"]
            await client.post(f"/room/post/{room}", json={"content": "what was written"}, headers=headers)
            await client.delete("/login/delete", headers={"authorization": f"Bearer {bob.token}"})
            told = [line.partition(" ") for line in await lines_of(receiver, 7)]
    found = {(kind, json.loads(data)["username"]) for kind, _, data in told}
    assert found == {
        ("user.created", "ann"),
        ("user.created", "bob"),
        ("sign_in.failed", "ann"),
        ("room.created", "ann"),
        ("post.created", "ann"),
        ("room.left", "bob"),
        ("user.deleted", "bob"),
    }
    rooms = [kind for kind, _, data in told if "roomId" in data]
    assert rooms == ["room.created", "post.created", "room.left"]
    assert not any("written" in data for _, _, data in told)


async def post_until_killed(server: Server, posts: list[int], token: str, room: int) -> None:
    async with server.client() as client:
        while True:
            try:
                made = await client.post(
                    f"/room/post/{room}",
                    json={"content": "x"},
                    headers={"authorization": f"Bearer {token}"},
                )
            except httpx.HTTPError:
                return
            posts.append(made.json()["postId"])
            await trio.sleep(0.02)


def posts_of(asked: Sequence[Asked]) -> list[int]:
    return [message.json["data"]["postId"] for message in asked if message.json["type"] == "post.created"]


async def test_a_kill_amid_deliveries_loses_none(tmp_path: Path) -> None:
    """Every post that was acknowledged is told, in order but for repetitions, which have the same webhook-id."""

    def reply(asked: Asked) -> Answer:
        return Answer(503 if len(peer.asked) in {2, 40} else 200)

    peer: HttpPeer
    posts: list[int] = []
    async with open_http_peer(lambda asked: reply(asked)) as peer:
        async with open_server(tmp_path, [PRIVATE]) as server, server.client() as client:
            await add(tmp_path, peer.url, "--events", "post.created")
            ann = await sign_up(client, "ann")
            headers = {"authorization": f"Bearer {ann.token}"}
            room = (await client.post("/room/create", json={}, headers=headers)).json()["roomId"]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(post_until_killed, server, posts, ann.token, room)
                with trio.fail_after(30):
                    while len(peer.asked) < 20:  # noqa: ASYNC110  (another task's list)
                        await trio.sleep(0.01)
                await server.stop(signal.SIGKILL)
        async with open_server(tmp_path, [PRIVATE]):
            with trio.fail_after(60):
                while not set(posts) <= set(posts_of(peer.asked)):  # noqa: ASYNC110
                    await trio.sleep(0.05)
        ids: dict[int, set[str]] = {}
        for asked in peer.asked:
            ids.setdefault(asked.json["data"]["postId"], set()).add(asked.headers["webhook-id"])
        assert {len(each) for each in ids.values()} == {1}
        first_times = list(dict.fromkeys(posts_of(peer.asked)))
        assert first_times == sorted(first_times)
