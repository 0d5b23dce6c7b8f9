"""A socket that reads a byte now and then, in the middle of a joined write: it gets all in order, or is closed; nobody else notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from tests.system.server import Listener, Person, Server, listening, open_server, sign_up
from tests.system.test_room_socket import socket_url

POSTS, SIZE, AUTHORS = 600, 15_000, 10
"""9 MB, more than the kernel's buffers take."""
FEW = 150
"""Posts that are more than the queue of a MiB and the buffers of a reader with small ones take, and not many more: a session that
closes waits two seconds for a reader, on a busy machine too."""
SMALL_BUFFER = 64 * 1024
LAG = 32
"""Posts that the attentive may be behind: less than a queue holds, or it would be the slow one on a busy machine."""
SETTINGS = ["rooms.daily_bytes=0", "server.bounds.held=256MiB", "server.bounds.held_per_connection=64MiB"]


class Reader:
    """A client that reads just as much as it is told to."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._connection = WSConnection(ConnectionType.CLIENT)
        self.texts: list[str] = []
        self.code: int | None = None
        self._part = ""

    async def open(self, url: str) -> None:
        parts = urlsplit(url)
        request = Request(host=parts.netloc, target=f"{parts.path}?{parts.query}")
        await self._stream.send_all(self._connection.send(request))
        while not isinstance(event := await self._event(), AcceptConnection):
            assert event is None, event

    async def _event(self) -> object:
        self._connection.receive_data(await self._stream.receive_some(1))
        return next(self._connection.events(), None)

    async def read(self, most: int) -> bool:
        """Reads so many bytes at most; whether there may be more."""
        data = await self._stream.receive_some(most)
        self._connection.receive_data(data or None)
        for event in self._connection.events():
            if isinstance(event, TextMessage):
                self._part += event.data
                if event.message_finished:
                    self.texts.append(self._part)
                    self._part = ""
            elif isinstance(event, CloseConnection):
                self.code = self.code or int(event.code)
        return bool(data) and self.code is None


@asynccontextmanager
async def reading(server: Server, person: Person, buffer: int | None = None) -> AsyncIterator[Reader]:
    """buffer: bytes that the kernel holds for the reader; None leaves that to the kernel."""
    url = socket_url(server, person)
    own = trio.socket.socket()
    if buffer is not None:
        own.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, buffer)
    await own.connect(("127.0.0.1", urlsplit(url).port or 0))
    async with trio.SocketStream(own) as stream:
        reader = Reader(stream)
        await reader.open(url)
        yield reader


async def burst(
    people: list[Person], room: int, reader: Reader, attentive: Listener, posts: int = POSTS
) -> list[str]:
    """Many posts at once, of which several leave together; the reader takes a byte now and then. What the attentive heard."""

    heard = list[str]()
    sent = [0]

    async def post(number: int) -> None:
        for place in range(posts // AUTHORS):
            while sent[0] - len(heard) > LAG:  # noqa: ASYNC110  (nothing tells)
                await trio.sleep(0.001)
            sent[0] += 1
            content = f"{number} {place} " + "x" * SIZE
            await people[number % len(people)].post(f"/room/post/{room}", {"content": content})

    async with trio.open_nursery() as nursery:
        for number in range(AUTHORS):
            nursery.start_soon(post, number)
        for place in range(posts):
            heard.append(await attentive.text())
            if place % 50 == 0:
                await reader.read(1)
    return heard


async def test_what_it_has_not_read_yet_comes_whole_and_in_order(tmp_path: Path) -> None:
    async with (
        open_server(tmp_path, [*SETTINGS, "rooms.socket_queue=32MiB"]) as server,
        server.client() as client,
    ):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]
        async with listening(socket_url(server, cid)) as attentive, reading(server, bob) as reader:
            heard = await burst([ann], room, reader, attentive)
            assert reader.texts == []
            with trio.fail_after(60):
                for _ in range(300):
                    await reader.read(1)
                while len(reader.texts) < POSTS:
                    await reader.read(1 << 16)
            assert reader.texts == heard


async def test_past_its_bound_it_is_closed_and_nobody_else_notices(tmp_path: Path) -> None:
    async with (
        open_server(tmp_path, [*SETTINGS, "rooms.socket_queue=1MiB"]) as server,
        server.client() as client,
    ):
        ann, bob, cid = [await sign_up(client, name) for name in ("ann", "bob", "cid")]
        room = (await ann.post("/room/create", {"otherUsers": [bob.id, cid.id]}))["roomId"]
        async with (
            listening(socket_url(server, cid)) as attentive,
            reading(server, bob, SMALL_BUFFER) as reader,
        ):
            heard = await burst([ann], room, reader, attentive, FEW)
            with trio.fail_after(60):
                while await reader.read(1 << 16):
                    pass
            assert reader.code == 1013
            assert 0 < len(reader.texts) < FEW
            assert reader.texts == heard[: len(reader.texts)]
