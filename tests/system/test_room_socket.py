"""Sockets of the room door on the started server: their ends, and that bad ones do not affect the others."""

import re
import select
from pathlib import Path

import httpx
import pytest
import trio

from tests.system.server import AnyServer, Person, listening, local_server, open_server, sign_up


def socket_url(server: AnyServer, person: Person, more: str = "") -> str:
    return f"{server.socket_url}/room/websocket?token={person.token}{more}"


@pytest.fixture(params=["", "&since="], ids=["plain", "resumable"])
def since(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_a_deleted_account_has_no_socket_when_it_is_told(since: str) -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        rooms = [(await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"] for _ in range(3)]
        async with (
            listening(socket_url(server, ann, since)) as one,
            listening(socket_url(server, ann)) as other,
            listening(socket_url(server, bob)) as bobs,
        ):
            if since:
                assert (await one.message())["type"] == "Resumed"
            assert (await ann.call("DELETE", "/login/delete")).status_code == 204
            metrics = (await client.get("/metrics")).text
            assert re.search(r'sockets\{[^}]*"/room/websocket"[^}]*\} 1\.0', metrics), metrics
            assert await one.close_code() == await other.close_code() == 1008
            left = [await bobs.message() for _ in rooms]
            assert {frame["roomId"] for frame in left} == set(rooms)
            assert all(frame["userDeleted"] is True for frame in left)


async def test_an_expired_token_ends_its_sockets(since: str) -> None:
    async with local_server(login={"token_ttl": "2s"}) as (server, client):
        ann = await sign_up(client, "ann")
        async with listening(socket_url(server, ann, since)) as listener:
            if since:
                assert (await listener.message())["type"] == "Resumed"
            assert await listener.text() == "BadToken"
            assert await listener.close_code() == 1008


async def test_signing_out_everywhere_ends_all_sockets() -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        fields = {"username": "ann", "password": "ann's long password"}
        login = (await client.post("/login", json=fields)).json()
        again = Person(client, login["userId"], login["token"])
        async with (
            listening(socket_url(server, ann)) as one,
            listening(socket_url(server, again, "&since=")) as other,
        ):
            assert (await other.message())["type"] == "Resumed"
            assert (await again.call("DELETE", "/login/token?all=true")).status_code == 204
            for listener in (one, other):
                assert await listener.text() == "BadToken"
                assert await listener.close_code() == 1008


async def test_revoking_while_a_socket_opens_ends_it() -> None:
    """Whichever comes first, no socket outlives its token."""
    async with local_server() as (server, client):
        for turn in range(8):
            ann = await sign_up(client, f"ann{turn}")

            async def listen(person: Person, since: str) -> None:
                async with listening(socket_url(server, person, since)) as listener:
                    while await listener.text() != "BadToken":
                        pass
                    assert await listener.close_code() == 1008

            async with trio.open_nursery() as nursery:
                for number in range(6):
                    nursery.start_soon(listen, ann, "&since=" if number % 2 else "")
                nursery.start_soon(ann.call, "DELETE", "/login/token")


async def test_a_ticket_opens_one_socket_of_many_that_try() -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        ticket = (await ann.post("/login/ticket"))["ticket"]
        first_frames = []

        async def listen() -> None:
            url = f"{server.socket_url}/room/websocket?ticket={ticket}&since="
            async with listening(url) as listener:
                first_frames.append(await listener.text())

        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(listen)
        assert first_frames.count("BadToken") == 9


async def test_no_secret_is_logged(tmp_path: Path) -> None:
    async with open_server(tmp_path, ["log.level=debug"]) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        ticket = (await ann.post("/login/ticket"))["ticket"]
        for query in (f"token={ann.token}", f"token={ann.token}&since=", f"ticket={ticket}&since=nonsense"):
            async with listening(f"{server.socket_url}/room/websocket?{query}"):
                pass
        await client.get(f"/room/list?token={ann.token}")
        await server.stop()
        for secret in (ann.token, ticket):
            assert secret not in server.printed
            assert secret[5:] not in server.printed


async def test_what_clients_send_is_ignored(since: str) -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        async with listening(socket_url(server, bob, since)) as listener:
            for message in ("", "x", '{"type": "NewPost"}', b"\0\1", "x" * 60_000):
                await listener._connection.send_message(message)
            await ann.post("/room/create", {"otherUsers": [bob.id]})
            while (frame := await listener.message())["type"] == "Resumed":
                pass
            assert frame["type"] == "RoomCreated"


async def test_deaf_sockets_change_nothing_for_the_others() -> None:
    """They do not read at all; the others hear everything, and the deaf ones are put out."""
    posts, deaf = 60, 20
    async with local_server() as (server, client):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]
        streams = []
        for number in range(deaf):
            more = "&since=" if number % 2 else ""
            streams.append(await deaf_socket(server, cid, more))

        async def post_all() -> None:
            for number in range(posts):
                await ann.post(f"/room/post/{room}", {"content": f"{number:09}" + "x" * 16_000})

        async with listening(socket_url(server, bob)) as listener, trio.open_nursery() as nursery:
            nursery.start_soon(post_all)
            heard = [int((await listener.message())["content"][:9]) for _ in range(posts)]
        assert heard == list(range(posts))
        closed = await closings(client, deaf)
        assert closed >= deaf
        for stream in streams:
            await trio.aclose_forcefully(stream)


async def test_a_frame_is_readable_before_the_reply_that_caused_it(since: str) -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with await deaf_socket(server, bob, since) as stream:
            got = b""
            while b"\r\n\r\n" not in got or (since and b"Resumed" not in got):
                got += await stream.receive_some()
            for number in range(50):
                await ann.post(f"/room/post/{room}", {"content": f"post {number}"})
                assert select.select([stream.socket.fileno()], [], [], 0)[0], number
                assert f"post {number}".encode() in await stream.receive_some()


async def deaf_socket(server: AnyServer, person: Person, more: str) -> trio.SocketStream:
    """Asks for the upgrade, reads its answer's first byte, and nothing more."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4096)
    await stream.send_all(
        f"GET /room/websocket?token={person.token}{more} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert await stream.receive_some(1) == b"H"
    return stream


async def closings(client: httpx.AsyncClient, wanted: int) -> int:
    """How many sockets the server has closed for being too slow, once there are as many as wanted."""
    count = 0
    with trio.move_on_after(20):
        while count < wanted:
            text = (await client.get("/metrics")).text
            count = sum(int(float(n)) for n in re.findall(r'code="1013"[^}]*\} (\S+)', text))
            await trio.sleep(0.1)  # a poll: the figures are all that can be seen of it from outside
    return count
