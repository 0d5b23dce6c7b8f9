"""Web Push on a running server, with a push service of its own: who is told of what, when, and what becomes of the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import trio

from tests.peer.http import HANG, Answer
from tests.peer.push import Device, PushPeer, open_push_peer
from tests.system.server import AnyServer, Person, listening, local_server, open_server, sign_up
from tests.system.test_room_socket import socket_url

SECTION = {"allow_private": True, "wait": "0s"}


class Scene(NamedTuple):
    server: AnyServer
    peer: PushPeer
    ann: Person
    bob: Person
    cid: Person
    room: int

    async def subscribe(self, person: Person, **more: Any) -> Device:
        device = self.peer.device((await person.get("/room/push/key"))["publicKey"])
        answer = await person.call("POST", "/room/push", device.subscription | more)
        assert answer.status_code == 201, answer.text
        return device

    async def post(self, person: Person, content: str = "a secret") -> int:
        return int((await person.post(f"/room/post/{self.room}", {"content": content}))["postId"])


async def set_up(server: AnyServer, client: httpx.AsyncClient, peer: PushPeer) -> Scene:
    ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
    members = {"name": "Tea", "otherUsers": [bob.id, cid.id]}
    room = (await ann.post("/room/create", members))["roomId"]
    return Scene(server, peer, ann, bob, cid, room)


@asynccontextmanager
async def opened(**more: Any) -> AsyncIterator[Scene]:
    """more: of the section `push`."""
    async with open_push_peer() as peer, local_server(push={**SECTION, **more}) as (server, client):
        yield await set_up(server, client, peer)


async def test_who_is_away_is_told_who_and_where_but_not_what() -> None:
    async with opened() as scene:
        bobs, cids = await scene.subscribe(scene.bob), await scene.subscribe(scene.cid, showsContent=True)
        anns = await scene.subscribe(scene.ann)
        post = await scene.post(scene.ann)
        expected = {
            "type": "NewPost",
            "roomId": scene.room,
            "room": "Tea",
            "userId": scene.ann.id,
            "username": "ann",
            "words": "ann wrote",
            "count": 1,
            "postId": post,
        }
        assert await bobs.next() == expected
        assert await cids.next() == expected | {"content": "a secret"}
        other = (await scene.bob.post("/room/create", {"name": "Hall", "otherUsers": [scene.ann.id]}))[
            "roomId"
        ]
        told = await anns.next()
        assert (told["type"], told["room"], told["roomId"], told["words"]) == (
            "RoomInvitation",
            "Hall",
            other,
            "bob invited you",
        )
        assert "count" not in told
        await scene.post(scene.cid, "x" * 9000 + "🫖" * 1700)
        assert (await bobs.next())["username"] == "cid"
        assert (await anns.next())["username"] == "cid"  # of one's own posts nobody is told
        assert (anns.received, cids.received, scene.peer.strangers) == ([], [], [])
        await scene.post(scene.ann, "🫖" * 4000)
        assert (await cids.next())["content"].startswith("🫖" * 400)


async def test_who_has_a_socket_or_has_muted_the_room_is_not_told() -> None:
    async with opened() as scene:
        anns, bobs, cids = [await scene.subscribe(one) for one in (scene.ann, scene.bob, scene.cid)]
        assert (await scene.cid.call("POST", f"/room/mute/{scene.room}")).status_code == 204
        async with listening(socket_url(scene.server, scene.bob)) as socket:
            await scene.post(scene.ann, "heard")
            assert (await socket.message())["content"] == "heard"
            await scene.post(scene.bob)
            await anns.next()  # so what was before has been settled
        await trio.sleep(0.2)  # until the server knows that both are gone
        await scene.post(scene.ann, "missed")
        assert (await bobs.next())["count"] == 1
        assert await scene.cid.get("/room/push") == {
            "subscriptions": (await scene.cid.get("/room/push"))["subscriptions"],
            "muted": [scene.room],
        }
        assert (await scene.cid.call("DELETE", f"/room/mute/{scene.room}")).status_code == 204
        await scene.post(scene.ann, "at last")
        assert (await cids.next())["count"] == 1


async def test_several_posts_are_one_message() -> None:
    async with opened(wait="700ms") as scene:
        device = await scene.subscribe(scene.bob)
        for number in range(20):
            last = await scene.post(scene.ann, str(number))
        told = await device.next()
        assert (told["count"], told["postId"], told["words"]) == (
            20,
            last,
            "20 new posts, the last one by ann",
        )
        assert len(device.requests) == 1
        assert device.received == []


async def test_a_push_service_that_fails_is_tried_again_and_holds_nobody_up() -> None:
    """One hangs, one knows the subscription no longer, one leads elsewhere, one asks for a second: each has its own fate."""
    async with opened() as scene:
        hung, gone, moved, busy, good = [await scene.subscribe(scene.bob) for _ in range(5)]
        hung.answer, gone.answer = HANG, Answer(410)
        moved.answer = Answer(307, headers=(("location", f"{scene.peer.http.url}/elsewhere"),))
        busy.answer = Answer(429, headers=(("retry-after", "1"),))
        await scene.post(scene.ann)
        assert (await good.next())["count"] == 1
        for device in (hung, gone, moved, busy):
            await device.tried(1)
        assert (await scene.bob.get("/room/push"))["subscriptions"]
        with trio.fail_after(20):
            while len((await scene.bob.get("/room/push"))["subscriptions"]) > 4:  # noqa: ASYNC110  (nothing tells it)
                await trio.sleep(0.05)
        assert scene.peer.strangers == []


async def test_what_waits_outlives_the_server(tmp_path: Path) -> None:
    """Also when it is killed; a subscription goes on with the key that the browser has bound it to."""
    settings = ("push.allow_private=true", "push.wait=1s")
    async with open_push_peer() as peer:
        async with open_server(tmp_path, settings) as server, server.client() as client:
            scene = await set_up(server, client, peer)
            device = await scene.subscribe(scene.bob)
            await scene.post(scene.ann)
            server.process.kill()
            await server.process.wait()
        assert device.received == []
        async with open_server(tmp_path, settings):
            assert (await device.next())["postId"] == 1
        assert device.tries == 1


async def test_a_subscription_is_its_last_subscribers_and_ends_with_the_session() -> None:
    async with opened() as scene:
        device = await scene.subscribe(scene.bob)
        assert (await scene.cid.call("POST", "/room/push", device.subscription)).status_code == 201
        assert (await scene.bob.get("/room/push"))["subscriptions"] == []
        others = await scene.subscribe(scene.bob)
        await scene.post(scene.ann)
        assert await device.next()
        assert await others.next()
        assert (await scene.cid.call("DELETE", "/login/token")).status_code == 204
        await scene.post(scene.ann)
        assert await others.next()
        assert device.received == []
        (mine,) = (await scene.bob.get("/room/push"))["subscriptions"]
        assert mine["host"] == "127.0.0.1"
        path = f"/room/push/{mine['subscriptionId']}"
        assert (await scene.ann.call("DELETE", path)).status_code == 404  # it is another's
        assert (await scene.bob.call("DELETE", path)).status_code == 204
        exported = await scene.bob.get("/login/export")
        assert (exported["pushSubscriptions"], exported["mutedRooms"]) == ([], [])


async def test_only_so_many_of_one_account() -> None:
    async with opened() as scene:
        devices = [await scene.subscribe(scene.bob) for _ in range(25)]
        assert len((await scene.bob.get("/room/push"))["subscriptions"]) == 20
        await scene.post(scene.ann)
        for device in devices[5:]:
            await device.next()
        assert [device.tries for device in devices[:5]] == [0] * 5
