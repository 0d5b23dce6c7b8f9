"""A front door on a real loopback port with endpoints of its own, and clients that write raw bytes."""

import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import quart
import trio
import trio.testing
from quart_trio import QuartTrio

from regserver.endpoint import Request, Response, SocketEndpoint, SocketSession, StreamResponse
from regserver.serving import Front, FrontLimits, request_from_scope, response_fields
from regserver.serving.frame import binary_frame, text_frame

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3; its answer:
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

Handler = Callable[[Request], Awaitable[Response]]


async def show(request: Request) -> Response:
    """Answers with what it was asked, so that two ways to it can be compared."""
    fields = sorted(request.headers.items())
    text = repr(
        (request.method, request.path, request.query, fields, request.body, request.oversized, request.scheme)
    )
    status = (
        413
        if request.oversized
        else int(request.query)
        if request.query in ("201", "204", "304", "404")
        else 200
    )
    return Response(
        status=status, body=text.encode(), content_type="text/plain", headers=(("x-extra", "yes"),)
    )


def quart_app(dispatch: Handler, limit: int) -> QuartTrio:
    """The same dispatcher behind Quart, on every path."""
    app = QuartTrio(__name__)
    app.config.update(MAX_CONTENT_LENGTH=None, BODY_TIMEOUT=None, RESPONSE_TIMEOUT=None)

    @app.route("/", defaults={"_": ""}, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    @app.route("/<path:_>", methods=["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    async def everything(_: str) -> quart.Response:
        if quart.request.path == "/hasty":
            return quart.Response(b"", 200)
        body = await quart.request.get_data(as_text=False)
        assert isinstance(body, bytes)
        request = request_from_scope(quart.request.scope, body, oversized=len(body) > limit)
        response = await dispatch(request)
        if isinstance(response, StreamResponse):
            streamed = quart.Response(response.stream, response.status)
            streamed.timeout = None
            return streamed
        made = quart.Response(response.body, response.status)
        made.headers.clear()
        for name, value in response_fields(response):
            made.headers.add(name, value)
        return made

    return app


async def echo(session: SocketSession) -> None:
    session.accept_nowait()
    while True:
        message = await session.receive()
        session.send_nowait(text_frame(message) if isinstance(message, str) else binary_frame(message))


async def listen(session: SocketSession) -> None:
    session.accept_nowait()
    await session.wait_closed()


class Room:
    """Keeps a session within reach of the test."""

    def __init__(self) -> None:
        self.sessions: list[SocketSession] = []
        self.codes: list[int] = []
        self.ended = trio.Event()

    async def __call__(self, session: SocketSession) -> None:
        session.accept_nowait()
        self.sessions.append(session)
        try:
            self.codes.append(await session.wait_closed())
        finally:
            self.ended.set()


class Counts:
    """FrontMetrics that a test can look at."""

    def __init__(self) -> None:
        self.refused: Counter[int] = Counter()
        self.turned_away: Counter[int] = Counter()
        self.cut: Counter[str] = Counter()
        self.closed: Counter[int] = Counter()
        self.errors = 0
        self.open = 0
        self.sessions = 0

    def connection_opened(self) -> None:
        self.open += 1

    def connection_closed(self) -> None:
        self.open -= 1

    def connection_refused(self, status: int) -> None:
        self.turned_away[status] += 1

    def connection_cut(self, reason: str) -> None:
        self.cut[reason] += 1

    def request_refused(self, status: int) -> None:
        self.refused[status] += 1

    def session_opened(self) -> None:
        self.sessions += 1

    def session_closed(self, code: int) -> None:
        self.sessions -= 1
        self.closed[code] += 1

    def error_contained(self) -> None:
        self.errors += 1


class Peer:
    """A client that decides about every byte. Everything it waits for has a deadline."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.buffer = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def _more(self) -> bool:
        try:
            data = await self.stream.receive_some(65536)
        except trio.BrokenResourceError:
            return False
        self.buffer += data
        return bool(data)

    async def read(self, size: int) -> bytes:
        with trio.fail_after(10):
            while len(self.buffer) < size:
                if not await self._more():
                    raise EOFError(self.buffer)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    async def read_head(self) -> bytes:
        """The next response head, or b"" at the end of the connection."""
        with trio.fail_after(10):
            while b"\r\n\r\n" not in self.buffer:
                if not await self._more():
                    return b""
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head

    async def response(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, fields and body of the next response; status 0 at the end of the connection."""
        head = await self.read_head()
        if not head:
            return 0, {}, b""
        line, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(field.lower().split(": ", 1) for field in lines)
        size = 0 if method == "HEAD" else int(fields.get("content-length", 0))
        return int(line.split(" ")[1]), fields, await self.read(size)

    async def ask(self, data: bytes, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        await self.send(data)
        return await self.response(method)

    async def frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next server frame."""
        first, length = await self.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", await self.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.read(8))
        return first & 15, await self.read(length)

    async def close_code(self) -> int:
        """The code of the Close frame, other frames skipped; 1005 for an empty one, 1006 for none."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big") if payload else 1005
        except EOFError:
            return 1006

    async def something(self) -> bool:
        """Waits for any byte of the server; false at the end of the connection."""
        with trio.fail_after(10):
            return await self._more()

    async def ended(self) -> bool:
        """Whether the server closes the connection, after at most what is unread."""
        with trio.move_on_after(10):
            while await self._more():
                pass
            return True
        return False

    async def upgrade(self, path: str = "/echo", early: bytes = b"") -> bytes:
        await self.send(upgrade(path) + early)
        return await self.read_head()

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self.stream)


def upgrade(path: str = "/echo", *fields: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13", *fields, "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode("latin-1")


def client_frame(payload: bytes, opcode: int = 1, *, fin: bool = True) -> bytes:
    """A masked frame; the mask is zero, so the payload stands as it is."""
    first = (0x80 if fin else 0) | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, size)
    return head + bytes(4) + payload


def close_payload(code: int) -> bytes:
    return client_frame(code.to_bytes(2, "big"), 8)


class RunningFront:
    """A running front door."""

    def __init__(self, front: Front, urls: list[str], counts: Counts, nursery: trio.Nursery) -> None:
        self.front = front
        self.urls = urls
        self.counts = counts
        self.nursery = nursery
        self.port = int(urls[0].rpartition(":")[2]) if not urls[0].startswith("unix:") else 0

    @contextlib.asynccontextmanager
    async def peer(self, receive_buffer: int = 0) -> AsyncIterator[Peer]:
        sock = trio.socket.socket()
        if receive_buffer:
            sock.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, receive_buffer)
        await sock.connect(("127.0.0.1", self.port))
        peer = Peer(trio.SocketStream(sock))
        try:
            yield peer
        finally:
            await peer.aclose()

    async def settled(self) -> None:
        """Until no connection is left."""
        with trio.fail_after(10):
            while self.front.connections:
                await trio.testing.wait_all_tasks_blocked(0.005)

    async def until(self, check: Callable[[], bool]) -> None:
        """Waits for what the server does by itself."""
        with trio.fail_after(10):
            while not check():
                await trio.testing.wait_all_tasks_blocked(0.005)

    async def is_fine(self) -> bool:
        """Whether it still answers."""
        async with self.peer() as peer:
            status, _, _ = await peer.ask(b"GET /fine HTTP/1.1\r\nHost: x\r\n\r\n")
        return status == 200


def bounds(**changes: Any) -> FrontLimits:
    """Limits that let a test end soon."""
    quiet = {"ping_seconds": 120, "pong_seconds": 60}  # no ping comes between what a test looks for
    return FrontLimits(**{"grace_seconds": 1, "linger_seconds": 0.1, **quiet, **changes})


@contextlib.asynccontextmanager
async def open_front(
    limits: FrontLimits | None = None,
    *,
    dispatch: Handler = show,
    admit: Callable[[Request], Response | None] = lambda _: None,
    sockets: dict[str, SocketEndpoint] | None = None,
    binds: tuple[str, ...] = ("127.0.0.1:0",),
    tls_cert: str = "",
    tls_key: str = "",
) -> AsyncIterator[RunningFront]:
    """A front door whose /echo and /listen are sessions."""
    counts = Counts()
    used = limits if limits is not None else bounds()
    routes: dict[str, SocketEndpoint] = {"/echo": echo, "/listen": listen, **(sockets or {})}
    front = Front(
        dispatch=dispatch,
        admit=admit,
        socket=routes.get,
        limits=used,
        metrics=counts,
    )
    async with (
        trio.open_nursery() as nursery,
        front.open(binds, tls_cert=tls_cert, tls_key=tls_key) as urls,
    ):
        yield RunningFront(front, urls, counts, nursery)
