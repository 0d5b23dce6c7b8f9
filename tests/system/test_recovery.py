"""Reconnecting with a cursor: nothing missed, nothing twice, over lost connections, restarts and kill -9."""

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from tests.system.server import (
    AnyServer,
    Listener,
    Message,
    Person,
    listening,
    local_server,
    open_server,
    sign_up,
)


def resuming(server: AnyServer, person: Person, since: str = "") -> Any:
    return listening(f"{server.socket_url}/room/websocket?token={person.token}&since={since}")


async def heard(listener: Listener, count: int) -> list[Message]:
    return [await listener.message() for _ in range(count)]


async def resumed(listener: Listener, *, recovered: bool = True, missed: int = 0) -> str:
    """Takes the first frame; its cursor."""
    frame = await listener.message()
    assert {**frame, "cursor": ""} == {
        "type": "Resumed",
        "cursor": "",
        "recovered": recovered,
        "missed": missed,
    }
    return str(frame["cursor"])


def without_cursor(message: Message) -> Message:
    assert list(message)[-1] == "cursor"
    return {key: value for key, value in message.items() if key != "cursor"}


async def test_everything_that_happened_in_the_gap_is_told_once_and_in_order() -> None:
    async with local_server() as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        den = (await ann.post("/room/create", {"name": "Den", "otherUsers": [bob.id]}))["roomId"]
        async with resuming(server, bob) as listener:
            cursor = await resumed(listener)

        tea = (await ann.post("/room/create", {"name": "Tea", "otherUsers": [bob.id]}))["roomId"]
        await ann.post(f"/room/post/{tea}", {"content": "lost with its room"})
        first = (await ann.post(f"/room/post/{den}", {"content": "one"}))["postId"]
        await bob.post(f"/room/post/{tea}", {"content": "his own"})
        hall = (await ann.post("/room/create", {"otherUsers": [cid.id]}))["roomId"]
        await ann.post(f"/room/post/{hall}", {"content": "before he came"})
        await cid.post(f"/room/invite/{hall}", {"otherUsers": [bob.id]})
        await ann.post(f"/room/invite/{tea}", {"otherUsers": [cid.id]})
        await bob.post(f"/room/leave/{tea}")
        await ann.post(f"/room/post/{tea}", {"content": "after he left"})
        await ann.post(f"/room/leave/{tea}")
        assert (await cid.call("DELETE", "/login/delete")).status_code == 204  # the last one in there

        created_at = (await bob.get(f"/room/readAll/{hall}"))["posts"][0]["createdAt"]
        expected = [
            {"type": "RoomCreated", "creatorId": ann.id, "roomId": tea},  # gone with its posts meanwhile
            {
                "type": "NewPost",
                "userId": ann.id,
                "roomId": den,
                "postId": first,
                "content": "one",
                "createdAt": created_at,
            },
            {"type": "RoomInvitation", "userWhoInvited": cid.id, "roomId": hall},
            {"type": "NewUsersInRoom", "userWhoInvited": ann.id, "newUsers": [cid.id], "roomId": tea},
            {"type": "UserLeftRoom", "userId": cid.id, "roomId": hall, "userDeleted": True},
        ]
        async with resuming(server, bob, cursor) as listener:
            assert await resumed(listener, missed=5) == cursor
            messages = await heard(listener, 5)
            told = [without_cursor(message) for message in messages]
            told[1]["createdAt"] = created_at  # a second may have passed
            assert told == expected
            await ann.post(f"/room/post/{hall}", {"content": "live"})
            live = await listener.message()
            assert live["content"] == "live"
        # Each frame's cursor stands for everything before it.
        async with resuming(server, bob, messages[2]["cursor"]) as listener:
            await resumed(listener, missed=3)
            assert await heard(listener, 3) == [*messages[3:], live]


async def test_nothing_changes_for_sockets_that_do_not_ask() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        async with listening(f"{server.socket_url}/room/websocket?token={bob.token}") as listener:
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            assert await listener.message() == {"type": "RoomCreated", "creatorId": ann.id, "roomId": room}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_cursor_outlives_the_server(tmp_path: Path, number: signal.Signals) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with resuming(server, bob) as listener:
            cursor = await resumed(listener)
        posts = [(await ann.post(f"/room/post/{room}", {"content": str(n)}))["postId"] for n in range(20)]
        await server.stop(number)
    async with open_server(tmp_path) as server, resuming(server, bob, cursor) as listener:
        await resumed(listener, missed=20)
        assert [message["postId"] for message in await heard(listener, 20)] == posts


@pytest.mark.parametrize("garbage", ["x", "0", "A" * 28, "%00", "é" * 28, "=" * 28, "A" * 4000, "../../etc"])
async def test_garbage_for_a_cursor(garbage: str) -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        async with resuming(server, ann, str(httpx.QueryParams({"s": garbage}))[2:]) as listener:
            assert await listener.text() == "BadCursor"
            assert await listener.close_code() == 1008


async def test_reconnecting_while_fifty_people_post() -> None:
    """A listener that comes and goes all the time hears the same as one that stays."""
    posts = 600
    async with local_server() as (server, client):
        bob = await sign_up(client, "bob")
        people = [await sign_up(client, f"person{n}") for n in range(50)]
        ids = [person.id for person in people]
        rooms = [(await bob.post("/room/create", {"otherUsers": ids}))["roomId"] for _ in range(3)]
        async with resuming(server, bob) as listener:
            cursor = await resumed(listener)

        async def post_some(person: Person, number: int) -> None:
            for turn in range(posts // 50):
                await person.post(f"/room/post/{rooms[(number + turn) % 3]}", {"content": "x"})

        async with trio.open_nursery() as nursery:
            for number, person in enumerate(people):
                nursery.start_soon(post_some, person, number)
            pieces: list[Message] = []
            at = cursor
            while len(pieces) < posts:
                async with resuming(server, bob, at) as listener:
                    frame = await listener.message()
                    assert frame["recovered"] is True
                    pieces += await heard(listener, min(posts - len(pieces), frame["missed"] + 7))
                at = pieces[-1]["cursor"]
        async with resuming(server, bob, cursor) as listener:
            await resumed(listener, missed=posts)
            assert await heard(listener, posts) == pieces
        for room in rooms:
            page = await bob.get(f"/room/readAll/{room}")
            in_room = [message["postId"] for message in pieces if message["roomId"] == room]
            assert [post["id"] for post in page["posts"]] == in_room


async def test_a_long_absence_does_not_overflow_a_client_that_reads() -> None:
    """Ten megabytes of the past through a queue of 64 KiB."""
    async with local_server(rooms={"socket_queue": "128KiB"}) as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with resuming(server, bob) as listener:
            cursor = await resumed(listener)
        content = "x" * 16_000
        async with trio.open_nursery() as nursery:
            for _ in range(640):
                nursery.start_soon(ann.post, f"/room/post/{room}", {"content": content})
        async with resuming(server, bob, cursor) as listener:
            await resumed(listener, missed=640)
            await trio.testing.wait_all_tasks_blocked(0.05)  # the server has filled what it can by now
            got = [message["postId"] for message in await heard(listener, 640)]
            assert got == sorted(set(got))
            await ann.post(f"/room/post/{room}", {"content": "live"})
            assert (await listener.message())["content"] == "live"
