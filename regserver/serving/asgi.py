"""Sessions over ASGI: for WebSockets over HTTP/2, and for a framework's test client.

An ASGI server makes frames itself and sends only from a task. So every frame waits in the session's queue, as on a slow
socket, and the drain task splits it into opcode and payload again. The ASGI server sends pings.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any, ClassVar, Literal

import msgspec
import trio

from regserver.domain.address import plain_address
from regserver.endpoint import CloseCode, Request, Response, SocketEndpoint
from regserver.serving.answer import response_fields
from regserver.serving.broadcast import not_direct
from regserver.serving.frame import BINARY, CLOSE, TEXT, split_close, split_frames
from regserver.serving.handshake import session_fields
from regserver.serving.head import HOP_FIELDS
from regserver.serving.held import unbounded_held
from regserver.serving.inbound import Inbound, Lost, Received
from regserver.serving.limit import FrontLimits
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.registry import Registry
from regserver.serving.session import run_session
from regserver.serving.session_core import SessionContext
from regserver.serving.transport import Greeting

_log = logging.getLogger(__name__)

# Any, since each framework has its own typed dictionaries.
Scope = Any
AsgiMessage = Any
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
SocketRoutes = Callable[[str], SocketEndpoint | None]


def join_fields(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """ASGI headers as the headers of a Request: end-to-end fields, names in lower case, repeated ones joined with ", "."""
    joined: dict[str, str] = {}
    for raw, value in fields:
        name = raw.decode("latin-1").lower()
        if name in HOP_FIELDS:
            continue
        text = value.decode("latin-1")
        between = "; " if name == "cookie" else ", "  # RFC 9113, 8.2.3: a cookie may come in crumbs
        joined[name] = f"{joined[name]}{between}{text}" if name in joined else text
    return joined


def local_path(scope: Scope) -> str:
    """The decoded path, without the root path where the application is mounted."""
    path, root = str(scope["path"]), scope.get("root_path", "").rstrip("/")
    return (path[len(root) :] if path == root or path.startswith(f"{root}/") else path) or "/"


def request_from_scope(scope: Scope, body: bytes = b"", *, oversized: bool = False) -> Request:
    """The Request of an ASGI scope (http or websocket), the same as over HTTP/1.1."""
    client = scope.get("client")
    scheme: Literal["http", "https"] = "https" if scope.get("scheme") in ("https", "wss") else "http"
    return Request(
        method=scope.get("method", "GET"),
        path=local_path(scope),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=join_fields(scope["headers"]),
        body=b"" if oversized else body,
        oversized=oversized,
        peer=plain_address(client[0]) if client and client[0] != "<local>" else "",
        scheme=scheme,
        root_path=scope.get("root_path", "").rstrip("/"),
    )


_ACCEPT = b"accept"
"""Stands in the queue for the answer to the handshake."""


class AsgiTransport:
    """A WebSocket of an ASGI server."""

    is_pinged: ClassVar[bool] = False
    awaits_close: ClassVar[bool] = False

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: FrontLimits) -> None:
        self._can_reject = "websocket.http.response" in scope.get("extensions", {})
        self._receive = receive
        self._send = send
        self._write_seconds = limits.write_seconds
        self.held = unbounded_held(limits)

    @property
    def send_nowait(self) -> Callable[[bytes], int]:
        """Never writes: an ASGI server sends from a task only."""
        return not_direct

    def accept(self) -> Greeting:
        """A greeting whose answer is a mark for the accepting message."""
        return Greeting(_ACCEPT, b"")

    async def send_queued(self, queue: list[bytes]) -> int:
        """Sends the first of the queue, each of its frames as a message."""
        chunk = queue.pop(0)
        for message in _messages(chunk):
            await self._pass(message)
        return len(chunk)

    async def _pass(self, message: AsgiMessage) -> None:
        try:
            await self._send(message)
        except Exception as error:  # of the ASGI server, when the peer is gone
            _log.debug("session over ASGI lost: %r", error)
            raise trio.BrokenResourceError from error

    async def receive(self) -> AsgiMessage:
        """The next message of the peer."""
        try:
            message = await self._receive()
            # Skipped here and not awaited before, since not every test client sends it.
            while message["type"] == "websocket.connect":
                message = await self._receive()
        except Exception as error:
            _log.debug("session over ASGI lost: %r", error)
            raise trio.BrokenResourceError from error
        return message

    def decode(self, received: AsgiMessage) -> Iterable[Inbound]:
        """What a message means."""
        if received["type"] == "websocket.receive":
            text = received.get("text")
            return (Received(text if text is not None else bytes(received["bytes"])),)
        return (Lost(int(received.get("code") or CloseCode.ABNORMAL)),)

    async def reject(self, response: Response) -> None:
        """Sends the response, where the server below can; else closes with POLICY_VIOLATION."""
        with trio.move_on_after(self._write_seconds):
            if not self._can_reject:
                await self._pass({"type": "websocket.close", "code": int(CloseCode.POLICY_VIOLATION)})
                return
            fields = [(name.encode(), value.encode("latin-1")) for name, value in response_fields(response)]
            start = {"type": "websocket.http.response.start", "status": response.status, "headers": fields}
            await self._pass(start)
            body = {"type": "websocket.http.response.body", "body": response.body, "more_body": False}
            await self._pass(body)

    async def finish(self) -> None:
        """Does nothing: the ASGI server delivers what was sent."""

    def close(self, *, reset: bool) -> None:
        """Does nothing: the ASGI server closes the stream when its application returns."""


def _messages(chunk: bytes) -> Iterator[AsgiMessage]:
    """The ASGI messages that send the frames of this chunk; none for pings and pongs."""
    if chunk is _ACCEPT:
        yield {"type": "websocket.accept", "subprotocol": None, "headers": []}
        return
    for opcode, payload in split_frames(chunk):
        if opcode == TEXT:
            yield {"type": "websocket.send", "text": payload.decode(), "bytes": None}
        elif opcode == BINARY:
            yield {"type": "websocket.send", "text": None, "bytes": payload}
        elif opcode == CLOSE:
            code, reason = split_close(payload)
            yield {"type": "websocket.close", "code": code, "reason": reason}


def asgi_sessions(
    app: AsgiApp,
    socket: SocketRoutes,
    limits: FrontLimits | None = None,
    metrics: FrontMetrics | None = None,
    registry: Registry | None = None,
) -> AsgiApp:
    """Wraps an ASGI application: WebSockets on known paths become sessions, everything else is passed on.

    socket: the session endpoint at a decoded path, or None. registry: closes the sessions at a shutdown; by default they
    are in none that does.
    """
    bounds = limits if limits is not None else FrontLimits()
    counters: FrontMetrics = metrics if metrics is not None else NoMetrics()
    context = SessionContext(bounds, counters, registry if registry is not None else Registry(bounds))

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = socket(local_path(scope)) if scope["type"] == "websocket" else None
        if endpoint is None:
            await app(scope, receive, send)
            return
        request = request_from_scope(scope)
        request = msgspec.structs.replace(request, headers=session_fields(request.headers))
        await run_session(context, request, AsgiTransport(scope, receive, send, bounds), endpoint)

    return serve
