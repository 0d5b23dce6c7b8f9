"""Clients of live registration for tests of the started server: patient ones, and those that never read."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio

from tests.live import LAST, Message, check_story
from tests.peer.people_service import PeopleService
from tests.system.server import Listener, Server, listening, open_server

RIGHT = "right"


def credentials(username: str, password: str = RIGHT) -> dict[str, str]:
    return {"username": username, "password": password}


async def sign_in(client: httpx.AsyncClient, username: str, password: str = RIGHT) -> httpx.Response:
    return await client.post("/login", json=credentials(username, password))


async def begin(client: httpx.AsyncClient, username: str) -> str:
    """Begins a registration; where it is watched."""
    response = await sign_in(client, username)
    assert response.status_code == 303, response.text
    return str(response.headers["location"])


async def read(listener: Listener) -> list[Message]:
    """All events to the last one."""
    events: list[Message] = []
    while not events or events[-1]["eventType"] not in LAST:
        events.append(await listener.message())
    return events


async def watch(location: str) -> list[Message]:
    """A whole story, checked, and its close."""
    async with listening(location) as listener:
        events = await read(listener)
        assert await listener.close_code() == 1000
    check_story(events)
    return events


async def register(client: httpx.AsyncClient, username: str) -> list[Message]:
    """Signs somebody in for the first time."""
    events = await watch(await begin(client, username))
    assert events[-1]["eventType"] == "AUTHENTICATION", events[-1]
    return events


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Asks until it is so: for what the server shows only to those who ask."""
    with trio.fail_after(30):
        while not await check():  # noqa: ASYNC110  (nobody here could set an event)
            await trio.sleep(0.1)


class Deaf:
    """A client that does not read after the answer to its request, with as little room for unread bytes as there is."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def watch(self, location: str) -> None:
        """Asks for the socket."""
        upgrade = (
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        assert (await self._ask(location, "", upgrade)).startswith(b"HTTP/1.1 101")

    async def stream(self, location: str) -> None:
        """Asks for the stream of events."""
        assert (await self._ask(location, "/events", "")).startswith(b"HTTP/1.1 200")

    async def _ask(self, location: str, more: str, fields: str) -> bytes:
        parts = urlsplit(location)
        request = f"GET {parts.path}{more} HTTP/1.1\r\nHost: {parts.netloc}\r\n{fields}\r\n"
        await self._stream.send_all(request.encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += await self._stream.receive_some(1)
        return head


@asynccontextmanager
async def deaf(location: str, *, stream: bool = False) -> AsyncIterator[None]:
    """One that watches by the socket, or by the stream of events."""
    parts = urlsplit(location)
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    await sock.connect((parts.hostname, parts.port))
    async with trio.SocketStream(sock) as connection:
        client = Deaf(connection)
        await (client.stream(location) if stream else client.watch(location))
        yield


@asynccontextmanager
async def served(
    folder: Path, people: PeopleService, settings: Sequence[str] = ()
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """A server whose source is this service."""
    given = ("live.source=http", f"live.http.url={people.url}", *settings)
    async with open_server(folder, given) as server, server.client() as client:
        yield server, client


async def events_of(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """The fields of an event stream, one at a time, and its comments as ("", text)."""
    async for text in response.aiter_lines():
        if text:
            name, _, value = text.partition(":")
            yield name, value.removeprefix(" ")
