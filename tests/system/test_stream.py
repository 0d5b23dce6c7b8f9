"""GET /room/events: the rooms as Server-Sent Events, with a client that reads them as a browser does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import h11
import msgspec
import pytest
import trio

from tests.system.server import AnyServer, Person, listening, local_server, open_server, sign_up
from tests.system.test_room_socket import socket_url

PATIENCE = 10.0


class Event(msgspec.Struct, frozen=True):
    """One event of a stream. name: "message" where it has none of its own."""

    id: str
    name: str
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


class Stream:
    """An open stream. httpx leaves generators behind when a response is left before its end; h11 has none."""

    def __init__(self, tcp: trio.SocketStream) -> None:
        self._tcp = tcp
        self._http = h11.Connection(h11.CLIENT)
        self._text = ""

    async def ask(self, target: str, fields: dict[str, str]) -> h11.Response:
        request = h11.Request(method="GET", target=target, headers=list(fields.items()))
        await self._tcp.send_all(
            (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        )
        response = await self._event()
        assert isinstance(response, h11.Response)
        return response

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._tcp.receive_some())
        return event

    async def next(self) -> Event | None:
        """The next event; None at the end of the stream."""
        with trio.fail_after(PATIENCE):
            while True:
                while "\n\n" not in self._text:
                    event = await self._event()
                    if not isinstance(event, h11.Data):
                        return None
                    self._text += bytes(event.data).decode()
                block, _, self._text = self._text.partition("\n\n")
                fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
                if "data" in fields:
                    return Event(fields.get("id", ""), fields.get("event", "message"), fields["data"])

    async def data(self) -> Any:
        event = await self.next()
        assert event is not None
        return event.data


@asynccontextmanager
async def streaming(
    server: AnyServer, person: Person, last: str | None = None, query: str = ""
) -> AsyncIterator[Stream]:
    fields = {"host": "x", "authorization": f"Bearer {person.token}", "connection": "close"}
    if last is not None:
        fields["last-event-id"] = last
    async with await trio.open_tcp_stream("127.0.0.1", urlsplit(server.url).port or 0) as tcp:
        stream = Stream(tcp)
        response = await stream.ask(f"/room/events{query}", fields)
        assert (response.status_code, dict(response.headers)[b"content-type"]) == (200, b"text/event-stream")
        yield stream


async def test_a_stream_says_what_the_socket_says() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        async with (
            streaming(server, bob) as stream,
            listening(socket_url(server, bob, "&since=")) as socket,
        ):
            resumed = await stream.next()
            assert resumed is not None
            assert resumed.data == await socket.message()
            assert resumed.id == resumed.data["cursor"]
            room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
            await ann.post(f"/room/post/{room}", {"content": "line\nbreak, é 🫖"})
            await bob.post(f"/room/post/{room}", {"content": "not heard by oneself"})
            await ann.post(f"/room/leave/{room}")
            for _ in range(3):
                event, frame = await stream.next(), await socket.message()
                assert event is not None
                assert {**event.data, "cursor": event.id} == frame


async def test_a_client_that_was_cut_off_misses_nothing() -> None:
    """Also over a restart of the server, by the id of the last event that came."""
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with streaming(server, bob) as stream:
            last = await stream.next()
        assert last is not None
        for number in range(450):  # more than a page of the log
            await ann.post(f"/room/post/{room}", {"content": str(number)})
        heard: list[int] = []
        cursor = last.id
        while len(heard) < 450:
            async with streaming(server, bob, cursor) as stream:
                resumed = await stream.data()
                assert (resumed["recovered"], resumed["missed"]) == (True, 450 - len(heard))
                for _ in range(min(170, 450 - len(heard))):
                    event = await stream.next()
                    assert event is not None
                    heard.append(int(event.data["content"]))
                    cursor = event.id
        assert heard == list(range(450))


async def test_posts_while_the_past_is_read_come_behind_it() -> None:
    async with local_server() as (server, client):
        ann, bob = [await sign_up(client, name) for name in ("ann", "bob")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id]}))["roomId"]
        async with streaming(server, bob) as stream:
            first = await stream.next()
        assert first is not None

        async def post(numbers: range) -> None:
            for number in numbers:
                await ann.post(f"/room/post/{room}", {"content": str(number)})

        await post(range(300))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(post, range(300, 500))
            async with streaming(server, bob, first.id) as stream:
                assert (await stream.data())["recovered"]
                assert [int((await stream.data())["content"]) for _ in range(500)] == list(range(500))


async def test_an_echo_comes_to_the_stream_too() -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        async with streaming(server, ann, query="?echo=true") as stream:
            await stream.next()
            room = (await ann.post("/room/create"))["roomId"]
            await ann.post(f"/room/post/{room}", {"content": "to my other device"})
            assert (await stream.data())["type"] == "RoomCreated"
            assert (await stream.data())["content"] == "to my other device"


@pytest.mark.parametrize(
    ("path", "reason"), [("/login/token", "BadToken"), ("/login/token?all=true", "BadToken")]
)
async def test_the_end_of_a_token_is_told(path: str, reason: str) -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        async with streaming(server, ann) as stream:
            await stream.next()
            assert (await ann.call("DELETE", path)).status_code == 204
            end = await stream.next()
            assert end == Event("", "end", reason)
            assert await stream.next() is None


async def test_a_deleted_account_has_no_stream_when_it_is_told() -> None:
    async with local_server() as (server, client):
        ann = await sign_up(client, "ann")
        async with streaming(server, ann) as stream:
            await stream.next()
            assert (await ann.call("DELETE", "/login/delete")).status_code == 204
            assert await stream.next() is None


async def test_streams_and_sockets_of_one_account_are_bounded_together() -> None:
    async with local_server(rooms={"max_sockets": 2}) as (server, client):
        ann = await sign_up(client, "ann")
        async with streaming(server, ann) as stream, listening(socket_url(server, ann, "&since=")) as socket:
            await stream.next()
            await socket.message()
            refused = await ann.call("GET", "/room/events")
            assert (refused.status_code, refused.json()) == (429, {"error": "TooManySockets"})
            await ann.call("HEAD", "/room/events")  # which opens none
        with trio.fail_after(PATIENCE):  # a place is free once the server has noticed that the client is gone
            while (await ann.call("HEAD", "/room/events")).status_code == 429:  # noqa: ASYNC110  (nothing tells it)
                await trio.sleep(0.05)


async def test_whoever_takes_nothing_is_cut_off_and_nobody_else_notices(tmp_path: Path) -> None:
    settings = ["rooms.socket_queue=64KiB", "rooms.daily_bytes=0"]
    async with open_server(tmp_path, settings) as server, server.client() as client:
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]
        async with streaming(server, cid) as attentive, await deaf(server, bob) as bobs:
            await attentive.next()
            for number in range(400):  # 6 MiB, more than the kernels' buffers take
                await ann.post(f"/room/post/{room}", {"content": f"{number} " + "x" * 15_000})
                assert (await attentive.data())["content"].startswith(f"{number} ")
            await drain(bobs)


async def deaf(server: AnyServer, person: Person) -> trio.SocketStream:
    """A stream whose client reads nothing."""
    stream = await trio.open_tcp_stream("127.0.0.1", urlsplit(server.url).port or 0)
    fields = f"host: x\r\nconnection: close\r\nauthorization: Bearer {person.token}\r\n"
    await stream.send_all(f"GET /room/events HTTP/1.1\r\n{fields}\r\n".encode())
    await stream.receive_some(1)  # the beginning, so that it has been admitted
    return stream


async def drain(stream: trio.SocketStream) -> None:
    """Reads on: it was ended by the server."""
    with trio.fail_after(PATIENCE):
        try:
            while await stream.receive_some(1 << 20):
                pass
        except trio.BrokenResourceError:
            return


async def test_a_stopping_server_ends_its_streams(tmp_path: Path) -> None:
    async with open_server(tmp_path) as server, server.client() as client:
        ann = await sign_up(client, "ann")
        async with streaming(server, ann) as stream:
            await stream.next()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.stop)
                assert await stream.next() is None
