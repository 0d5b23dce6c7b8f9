"""One client with three ways to an app: the front door by HTTP/1.1 and by HTTP/2, and Quart's test client.

The fixture `way` of conftest.py chooses; a test that asks through `open_client` means the same by each.
"""

import json
import ssl
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol

import h2.events
import trio
import trio.testing
from quart.testing.connections import WebsocketDisconnectError

from regserver.endpoint import Response
from regserver.metric import Metrics
from regserver.serving import Front, FrontLimits
from regserver.web.app import WebApp, create_app
from regserver.web.http.cors import CorsPolicy
from regserver.web.http.dispatch import WebParts
from regserver.web.http.forwarded import ForwardedReader
from regserver.web.http.rate_limit import RateLimits
from regserver.web.http.route import Route
from tests.serving.http2 import Http2Peer
from tests.serving.support import Peer, upgrade

Way = Literal["HTTP/1.1", "HTTP/2", "test client"]
WAYS: tuple[Way, ...] = ("HTTP/1.1", "HTTP/2", "test client")


class Chosen:
    """The way that tests go now. certificate: of the front door over TLS, and its key."""

    way: Way = "HTTP/1.1"
    certificate = ("", "")


class Reply(Response, frozen=True, kw_only=True):
    """A response as it came."""

    @property
    def fields(self) -> Mapping[str, str]:
        """The header fields by their names in lower case."""
        return dict(self.headers)

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)


class SocketClosed(Exception):
    """The server has closed the WebSocket. args: the code."""


class Socket:
    """A WebSocket that only listens."""

    def __init__(self, receive: Callable[[], Awaitable[str]]) -> None:
        self.receive = receive

    async def receive_json(self) -> Any:
        """The next message, decoded."""
        return json.loads(await self.receive())


class Client(Protocol):
    """Every path may hold characters that have to be encoded; % is taken as an encoded one's beginning."""

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request with its whole answer."""

    def stream(self, path: str) -> Any:
        """A context with a function that gives the next bytes of a GET's answer."""

    def socket(self, path: str) -> Any:
        """A context with a Socket, once the handshake is answered."""


@asynccontextmanager
async def open_routes(
    routes: Iterable[Route], public_url: str = "", limits: RateLimits | None = None
) -> AsyncIterator[Client]:
    """A client of an app that has these routes alone. limits: by default none."""
    limits = limits or RateLimits(lambda: 0.0, enabled=False, overrides={})
    parts = WebParts(limits, ForwardedReader((), public_url), CorsPolicy(()), Metrics())
    async with open_client(create_app(parts, FrontLimits(), routes)) as client:
        yield client


@asynccontextmanager
async def open_client(app: WebApp) -> AsyncIterator[Client]:
    """A client of the app, by the chosen way."""
    if Chosen.way == "test client":
        yield QuartClient(app)
        return
    front = Front(
        dispatch=app.dispatcher.serve,
        admit=app.dispatcher.admit,
        socket=app.dispatcher.socket_endpoint,
        limits=FrontLimits(grace_seconds=0.2, linger_seconds=0.1),
    )
    cert, key = Chosen.certificate if Chosen.way == "HTTP/2" else ("", "")
    async with front.open(["127.0.0.1:0"], tls_cert=cert, tls_key=key) as urls:
        port = int(urls[0].rpartition(":")[2])
        if not cert:
            yield DirectClient(port)
            return
        async with http2_peer(port) as peer:
            yield Http2Client(port, peer)


def _target(path: str) -> str:
    return urllib.parse.quote(path, safe="/%?&=;:@!$'()*+,~{}<>[]|^`\"#\\")


def _reply(status: int, fields: Mapping[str, str], body: bytes) -> Reply:
    headers = tuple((name, value) for name, value in fields.items() if not name.startswith(":"))
    return Reply(status=status, headers=headers, body=body, content_type=fields.get("content-type", ""))


async def _message(peer: Peer) -> str:
    while True:
        opcode, payload = await peer.frame()
        if opcode == 1:
            return payload.decode()
        if opcode == 8:
            raise SocketClosed(int.from_bytes(payload[:2], "big"))


class DirectClient:
    """HTTP/1.1, a connection for each request."""

    def __init__(self, port: int) -> None:
        self._port = port

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Peer]:
        peer = Peer(await trio.open_tcp_stream("127.0.0.1", self._port))
        try:
            yield peer
        finally:
            await peer.aclose()

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        async with self._connect() as peer:
            fields = {"host": "localhost", "connection": "close", **(headers or {})}
            if body:
                fields["content-length"] = str(len(body))
            await peer.send(_head(f"{method} {_target(path)}", fields) + body)
            await peer.ended()
            head, _, rest = peer.buffer.partition(b"\r\n\r\n")
            line, *lines = head.decode("latin-1").split("\r\n")
            answered = [field.split(": ", 1) for field in lines]
            found = {name.lower(): value for name, value in answered}
            is_chunked = found.get("transfer-encoding") == "chunked"
            return _reply(int(line.split(" ")[1]), found, _joined(rest) if is_chunked else rest)

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        async with self._connect() as peer:
            await peer.send(_head(f"GET {path}", {"host": "localhost"}))
            await peer.read_head()

            async def receive() -> bytes:
                data, peer.buffer = peer.buffer, b""
                return data or bytes(await peer.stream.receive_some())

            yield receive

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        async with self._connect() as peer:
            await peer.send(upgrade(path))
            head = await peer.read_head()
            assert head.startswith(b"HTTP/1.1 101"), head
            yield Socket(lambda: _message(peer))


def _joined(rest: bytes) -> bytes:
    """The body of chunks. Fails where the last one is missing."""
    body = b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return body
        body, rest = body + rest[:length], rest[length + 2 :]


def _head(line: str, fields: Mapping[str, str]) -> bytes:
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def http2_peer(port: int) -> AsyncIterator[Http2Peer]:
    """A connection to the front door by HTTP/2."""
    context = ssl.create_default_context(cafile=Chosen.certificate[0])
    context.set_alpn_protocols(["h2"])
    transport = await trio.open_tcp_stream("127.0.0.1", port)
    stream = trio.SSLStream(transport, context, server_hostname="localhost", https_compatible=True)
    peer = Http2Peer(stream)
    try:
        await peer.start()
        yield peer
    finally:
        await peer.aclose()


class Http2Client:
    """HTTP/2: one connection for requests, one after the other, and one for each stream."""

    def __init__(self, port: int, peer: Http2Peer) -> None:
        self._port = port
        self._peer = peer
        self._turn = trio.Lock()

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        given = dict(headers or {})
        authority = given.pop("host", "localhost")
        if body:
            given["content-length"] = str(len(body))
        pseudo = [
            (":method", method), (":path", _target(path)), (":scheme", "https"), (":authority", authority),
        ]  # fmt: skip
        async with self._turn:
            return _reply(*await self._peer.ask_fields([*pseudo, *given.items()], body))

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        async with http2_peer(self._port) as peer:
            pseudo = [(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "localhost")]
            await peer.open(pseudo)

            async def receive() -> bytes:
                event = await peer.next_event(h2.events.DataReceived)
                assert isinstance(event, h2.events.DataReceived)
                return bytes(event.data or b"")

            yield receive

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        async with http2_peer(self._port) as peer:
            socket = await peer.connect(path)
            status, _ = await socket.status()
            assert status == 200
            yield Socket(lambda: _message(socket))


async def until_accepted(socket: Any) -> None:
    """A socket of Quart's test client hears nothing before that, and opening it does not wait for it."""
    with trio.fail_after(10):
        while not socket.accepted:
            await trio.testing.wait_all_tasks_blocked(0.005)


class QuartClient:
    """Quart's test client."""

    def __init__(self, app: WebApp) -> None:
        self._client = app.test_client()

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        response = await self._client.open(
            _target(path),
            method=method,
            headers=dict(headers or {}),
            data=body or None,  # type: ignore[call-arg]
        )
        fields = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code == 204:
            fields.pop("content-type", None)  # of the test client's own making
        return _reply(response.status_code, fields, await response.get_data(as_text=False))

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
        async with self._client.request(path) as connection:
            await connection.send_complete()
            yield connection.receive

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        async with self._client.websocket(path) as opened:
            socket: Any = opened

            async def receive() -> str:
                try:
                    return str(await socket.receive())
                except WebsocketDisconnectError as closed:
                    raise SocketClosed(closed.args[0]) from None

            await until_accepted(socket)
            yield Socket(receive)
