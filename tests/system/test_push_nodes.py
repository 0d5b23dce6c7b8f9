"""Web Push where two nodes share one database: whoever has a socket at either of them is not told."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.peer.postgres import Cluster
from tests.peer.push import Device, open_push_peer
from tests.system.server import Person, listening, sign_up
from tests.system.test_nodes import at, open_nodes

SETTINGS = ("push.allow_private=true", "push.wait=0s", "limits.enabled=false")


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of both nodes, on a new database."""
    name = new_database().rpartition("dbname=")[2]
    key = f"server.key={tmp_path / 'shared.key'}"
    return (f"store.url={cluster.url(name)}", key, "live.source=none", *SETTINGS)


async def test_a_socket_at_the_other_node_is_a_socket(tmp_path: Path, shared: tuple[str, ...]) -> None:
    async with open_push_peer() as peer, open_nodes(tmp_path, shared) as (one, two), one.client() as client:
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]

        async def subscribe(person: Person) -> Device:
            device = peer.device((await person.get("/room/push/key"))["publicKey"])
            answer = await person.call("POST", "/room/push", device.subscription)
            assert answer.status_code == 201, answer.text
            return device

        bobs, cids = await subscribe(bob), await subscribe(cid)
        members = {"name": "Tea", "otherUsers": [bob.id, cid.id]}
        async with listening(at(two, bob)) as socket:
            room = (await ann.post("/room/create", members))["roomId"]
            assert (await socket.message())["type"] == "RoomCreated"
            await ann.post(f"/room/post/{room}", {"content": "heard at the other node"})
            assert (await socket.message())["content"] == "heard at the other node"
            with trio.fail_after(20):
                assert (await cids.next())["roomId"] == room  # who has none is told
            await trio.sleep(1)  # of bob nothing is on its way behind it
            assert bobs.received == []
        await trio.sleep(0.3)  # until the node knows that he is gone
        await ann.post(f"/room/post/{room}", {"content": "missed"})
        with trio.fail_after(20):
            assert (await bobs.next())["type"] == "NewPost"
