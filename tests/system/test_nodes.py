"""Two real nodes on one real database: what happens at one is heard at the other, in one order, whatever dies."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import trio

from regserver.endpoint import CloseCode
from tests.peer.postgres import Cluster
from tests.system.server import Listener, Person, Server, listening, open_server, run_command, sign_up

POSTERS = 4
POSTS = 25
PASSWORD = "ann's long password"


@pytest.fixture
def shared(cluster: Cluster, tmp_path: Path, new_database: Callable[[], str]) -> tuple[str, ...]:
    """The settings of every node on a new database."""
    name = new_database().rpartition("dbname=")[2]
    return (f"store.url={cluster.url(name)}", f"server.key={tmp_path / 'shared.key'}", "live.source=none")


@asynccontextmanager
async def open_node(folder: Path, shared: tuple[str, ...], name: str) -> AsyncIterator[Server]:
    async with open_server(folder, (*shared, f"node.name={name}", "node.lease=2s")) as server:
        yield server


@asynccontextmanager
async def open_nodes(folder: Path, shared: tuple[str, ...]) -> AsyncIterator[tuple[Server, Server]]:
    async with open_node(folder, shared, "one") as one, open_node(folder, shared, "two") as two:
        yield one, two


def at(server: Server, person: Person) -> str:
    return f"{server.socket_url}/room/websocket?token={person.token}"


async def heard_until(socket: Listener, last: str) -> list[tuple[int, str]]:
    """The posts that come, up to the one that says so."""
    posts = list[tuple[int, str]]()
    with trio.fail_after(30):
        while not posts or posts[-1][1] != last:
            message = await socket.message()
            if message["type"] == "NewPost":
                posts.append((message["postId"], message["content"]))
    return posts


async def post(client: httpx.AsyncClient, person: Person, room: int, content: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {person.token}"}
    return await client.post(f"/room/post/{room}", json={"content": content}, headers=headers)


async def end_of(socket: Listener) -> tuple[str, int]:
    """The word that it ends with, and the close code."""
    return await socket.text(), await socket.close_code()


async def test_all_that_is_done_in_a_room_is_heard_at_the_other_node(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    """Also what came last: edits, the owner's acts, marks and typing; and what is found there is the same."""
    async with (
        open_nodes(tmp_path, (*shared, "rooms.suggest=rooms")) as (one, two),
        one.client() as first,
        two.client() as second,
    ):
        ann, bob, cid = [await sign_up(first, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]
        there, about = Person(second, bob.id, bob.token), {"userId": ann.id, "roomId": room}
        async with (
            listening(at(two, bob) + "&edits=true&presence=true") as bobs,
            listening(at(two, ann) + "&seen=true") as device,
        ):
            content = "Чай, @bob?"
            post = (await ann.post(f"/room/post/{room}", {"content": content}))["postId"]
            told = await bobs.message()
            assert (told["type"], told["postId"], told["content"]) == ("NewPost", post, content)
            assert await ann.post(f"/room/edit/{post}", {"content": "Чай!"}) is None
            edited = await bobs.message()
            assert {key: edited[key] for key in edited if key != "editedAt"} == {
                "type": "PostEdited", **about, "postId": post, "content": "Чай!"
            }  # fmt: skip
            assert [each["id"] for each in (await there.get(f"/room/search/{room}?q=ЧАЙ"))["posts"]] == [post]
            assert (await there.get("/room/people?q=an"))["people"] == [{"userId": ann.id, "username": "ann"}]
            await ann.post(f"/room/seen/{room}", {"postId": post})
            assert await device.message() == {"type": "Seen", "roomId": room, "postId": post}
            await ann.post(f"/room/typing/{room}")
            assert await bobs.message() == {"type": "Typing", **about}
            await ann.post(f"/room/delete/{post}")
            assert await bobs.message() == {"type": "PostDeleted", **about, "postId": post}
            await ann.post(f"/room/rename/{room}", {"name": "Tea"})
            assert await bobs.message() == {"type": "RoomRenamed", **about, "name": "Tea"}
            await ann.post(f"/room/kick/{room}", {"userId": cid.id})
            gone = {"type": "UserLeftRoom", "userId": cid.id, "roomId": room, "userDeleted": False}
            assert await bobs.message() == gone
        assert [each["userId"] for each in (await there.get(f"/room/members/{room}"))["users"]] == [
            ann.id,
            bob.id,
        ]
        refused = await there.call("POST", f"/room/kick/{room}", {"userId": ann.id})
        assert (refused.status_code, refused.json()) == (403, {"error": "NotRoomOwner"})


async def test_sockets_of_both_nodes_hear_the_same_in_one_order(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    async with open_nodes(tmp_path, shared) as (one, two), one.client() as first, two.client() as second:
        people = [await sign_up(first, name) for name in ("ann", "bob", "cyd", "dan")]
        reader = await sign_up(second, "eve")
        others = [each.id for each in (*people[1:], reader)]
        room = (await people[0].post("/room/create", {"otherUsers": others}))["roomId"]

        async def write(client: httpx.AsyncClient, person: Person) -> None:
            for number in range(POSTS):
                answer = await post(client, person, room, f"{person.id}-{number}")
                assert answer.status_code == 200, answer.content

        async with listening(at(one, reader)) as here, listening(at(two, reader)) as there:
            async with trio.open_nursery() as nursery:
                for number, person in enumerate(people[:POSTERS]):
                    nursery.start_soon(write, (first, second)[number % 2], person)
            await post(first, people[0], room, "last")
            heard = [await heard_until(socket, "last") for socket in (here, there)]
        assert heard[0] == heard[1]
        assert len(heard[0]) == len({number for number, _ in heard[0]}) == POSTERS * POSTS + 1
        for person in people[:POSTERS]:
            own = [text for _, text in heard[0] if text.startswith(f"{person.id}-")]
            assert own == [f"{person.id}-{number}" for number in range(POSTS)]


async def test_what_ends_at_one_node_closes_sockets_at_the_other(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    async with open_nodes(tmp_path, shared) as (one, two), one.client() as first:
        ann, bob, cyd = [await sign_up(first, name) for name in ("ann", "bob", "cyd")]
        async with (
            listening(at(two, ann)) as ann_there,
            listening(at(two, bob)) as bob_there,
            listening(at(two, cyd)) as cyd_there,
        ):
            with trio.fail_after(10):
                assert (await ann.call("DELETE", "/login/token")).status_code in (200, 204)
                assert await end_of(ann_there) == ("BadToken", CloseCode.POLICY_VIOLATION)
                answer = await bob.call("DELETE", "/login/delete", {"password": "bob's long password"})
                assert answer.status_code in (200, 204), answer.content
                assert await end_of(bob_there) == ("UserIsDeleted", CloseCode.POLICY_VIOLATION)
                words = [word for setting in shared for word in ("--set", setting)]
                done = await run_command("user", "revoke", "cyd", *words, folder=tmp_path)
                assert done.returncode == 0, done.stderr
                assert await end_of(cyd_there) == ("BadToken", CloseCode.POLICY_VIOLATION)


async def test_a_killed_node_leaves_the_other_whole(tmp_path: Path, shared: tuple[str, ...]) -> None:
    """What the killed one has acknowledged is heard, and its name is free after its lease."""
    async with open_node(tmp_path, shared, "two") as two, two.client() as second:
        ann, bob = [await sign_up(second, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        acknowledged = list[str]()
        async with listening(at(two, bob)) as there:
            async with open_node(tmp_path, shared, "one") as one, one.client() as first:

                async def write() -> None:
                    for number in range(1000):
                        try:
                            answer = await post(first, ann, room, f"a{number}")
                        except httpx.HTTPError:
                            return
                        assert answer.status_code == 200
                        acknowledged.append(f"a{number}")

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(write)
                    while len(acknowledged) < 20:  # noqa: ASYNC110  (nothing tells)
                        await trio.sleep(0.01)
                    assert await one.stop(signal.SIGKILL) == -signal.SIGKILL
            await post(second, ann, room, "last")
            heard = [text for _, text in await heard_until(there, "last")]
        assert set(acknowledged) <= set(heard)
        assert len(heard) == len(set(heard))
        async with open_node(tmp_path, shared, "one") as again, again.client() as client:
            assert (await client.get("/health/ready")).status_code == 200


async def test_units_that_are_cut_in_the_database_are_not_half_done(
    tmp_path: Path, shared: tuple[str, ...]
) -> None:
    """Every connection of the nodes is terminated, again and again, while people post at both."""
    async with open_nodes(tmp_path, shared) as (one, two), one.client() as first, two.client() as second:
        ann, bob, eve = [await sign_up(first, name) for name in ("ann", "bob", "eve")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, eve.id]}))["roomId"]
        acknowledged, over = list[str](), trio.Event()

        async def write(client: httpx.AsyncClient, person: Person) -> None:
            number = 0
            while not over.is_set():
                number += 1
                answer = await post(client, person, room, f"{person.id}-{number}")
                assert answer.status_code in (200, 503), answer.content
                if answer.status_code == 200:
                    acknowledged.append(f"{person.id}-{number}")

        async with listening(at(one, eve)) as here, listening(at(two, eve)) as there:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(write, first, ann)
                nursery.start_soon(write, second, bob)
                for _ in range(8):
                    await trio.sleep(0.25)
                    await trio.to_thread.run_sync(terminate_all, shared[0].removeprefix("store.url="))
                over.set()
            with trio.fail_after(20):
                while (await post(second, bob, room, "last")).status_code != 200:  # noqa: ASYNC110  (nothing tells)
                    await trio.sleep(0.1)
            heard = [await heard_until(socket, "last") for socket in (here, there)]
        assert heard[0] == heard[1]
        texts = [text for _, text in heard[0]]
        assert set(acknowledged) <= set(texts)
        assert len(texts) == len(set(texts))


def terminate_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
