"""The same sessions over ASGI: for upgrades over HTTP/2, and for a framework's test client.

An ASGI server frames by itself and only sends from a task. So frames wait in the same bounded queue as on a slow
socket, and one writer task per session takes them apart again. Only the server below knows of pings.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

import msgspec
import trio

from regserver.endpoint import CloseCode, Frame, Request, Response, SessionClosed, SocketEndpoint
from regserver.serving.answer import response_fields
from regserver.serving.broadcast import not_direct
from regserver.serving.frame import BINARY, CLOSE, TEXT, close_frame, split_close, split_frame, text_frame
from regserver.serving.handshake import kept, session_fields
from regserver.serving.head import HOP_FIELDS
from regserver.serving.limit import FrontLimits
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.outbound import Stage
from regserver.serving.registry import Registry

_log = logging.getLogger(__name__)

# Each framework has its own typed dictionaries for these.
Scope = Any
Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
SocketRoutes = Callable[[str], SocketEndpoint | None]


def join_fields(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw ASGI headers as a Request has them: end to end, names in lower case, repeated ones joined with ", "."""
    joined: dict[str, str] = {}
    for raw, value in fields:
        name = raw.decode("latin-1").lower()
        if name in HOP_FIELDS:
            continue
        text = value.decode("latin-1")
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    return joined


def request_from_scope(scope: Scope, body: bytes = b"", *, oversized: bool = False) -> Request:
    """The Request an ASGI scope (http or websocket) stands for: the same one the hot path makes of the same bytes."""
    client = scope.get("client")
    scheme: Literal["http", "https"] = "https" if scope.get("scheme") in ("https", "wss") else "http"
    return Request(
        method=scope.get("method", "GET"),
        path=scope["path"] or "/",
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=join_fields(scope["headers"]),
        body=b"" if oversized else body,
        oversized=oversized,
        peer=client[0] if client and client[0] != "<local>" else "",
        scheme=scheme,
    )


class AsgiSession:
    """The SocketSession of regserver.endpoint over ASGI."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: FrontLimits, metrics: FrontMetrics
    ) -> None:
        request = request_from_scope(scope)
        self._request = msgspec.structs.replace(request, headers=session_fields(request.headers))
        self._can_reject = "websocket.http.response" in scope.get("extensions", {})
        self._receive = receive
        self._send = send
        self._limits = limits
        self._metrics = metrics
        self._stage = Stage.HANDSHAKE
        self._accepted = False
        self._code = 0
        self.direct: Callable[[Frame], int] = not_direct
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0
        self._wanted = trio.Event()  # the writer has something to do
        self._emptied = trio.Event()
        self._rejection: Response | None = None
        self._scope = trio.CancelScope()

    @property
    def request(self) -> Request:
        return self._request

    def accept_nowait(self) -> None:
        if self._stage is Stage.HANDSHAKE:
            self._stage = Stage.OPEN
            self._accepted = True
            self._request = kept(self._request)
            self._scope.deadline = float("inf")
            self._metrics.session_opened()
            self._wanted.set()

    def reject_nowait(self, response: Response) -> None:
        if self._stage is Stage.HANDSHAKE:
            self._stage = Stage.OVER
            self._rejection = response
            self._code = CloseCode.ABNORMAL

    def send_nowait(self, frame: Frame) -> bool:
        if self._stage > Stage.OPEN:
            return False
        if self._queued_bytes + len(frame) > self._limits.queue_bytes:
            self._queue.clear()
            self._queued_bytes = 0
            self.close_nowait(CloseCode.TRY_AGAIN_LATER, "too slow")
            return False
        self._push(frame)
        return True

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        raise AssertionError("nothing is ever written directly")

    def send_text_nowait(self, text: str | bytes) -> bool:
        return self.send_nowait(text_frame(text))

    async def drained(self) -> None:
        """Until everything queued was handed to the server below, or the session is over."""
        while self._queued_bytes and self._stage is Stage.OPEN:
            await self._queue_emptied()

    async def _queue_emptied(self) -> None:
        if self._emptied.is_set():  # one event for all who wait
            self._emptied = trio.Event()
        await self._emptied.wait()

    def _push(self, frame: Frame) -> None:
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        self._wanted.set()

    async def receive(self) -> str | bytes:
        if self._stage is not Stage.OPEN:
            raise SessionClosed(self._code)
        message = await self._receive()
        # Not every test client begins with it, so nobody waits for it.
        while message["type"] == "websocket.connect":
            message = await self._receive()
        if message["type"] == "websocket.receive":
            text = message.get("text")
            return text if text is not None else bytes(message["bytes"])
        self._stage = Stage.OVER
        self._code = self._code or int(message.get("code") or CloseCode.ABNORMAL)
        raise SessionClosed(self._code)

    async def wait_closed(self) -> int:
        try:
            while True:
                await self.receive()
        except SessionClosed as closed:
            return closed.code

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self._stage is Stage.HANDSHAKE:
            self.reject_nowait(
                Response(status=503 if code in (CloseCode.GOING_AWAY, CloseCode.TRY_AGAIN_LATER) else 403)
            )
        elif self._stage is Stage.OPEN:
            self._stage = Stage.CLOSING
            self._code = code
            self._scope.deadline = trio.current_time() + self._limits.close_seconds
            self._push(close_frame(code, reason))

    def abort_nowait(self) -> None:
        """Ends the session at once; the server below closes the stream."""
        self._stage = Stage.OVER
        self._scope.cancel()

    async def run(self, endpoint: SocketEndpoint) -> None:
        """Serves the session to its end; raises nothing but Cancelled."""
        self._scope.deadline = trio.current_time() + self._limits.accept_seconds
        try:
            with self._scope:
                await self._serve(endpoint)
            if self._stage is Stage.HANDSHAKE:  # the scope's deadline was the one for accepting
                self.reject_nowait(Response(status=503, headers=(("retry-after", "1"),)))
            if self._rejection is not None:
                with trio.move_on_after(self._limits.write_seconds):
                    await self._reject(self._rejection)
        except* Exception as group:  # the server below, when the peer is gone in the middle of something
            _log.debug("session over ASGI ended early", exc_info=group)
        finally:
            self._stage = Stage.OVER
            if self._accepted:
                self._metrics.session_closed(self._code or CloseCode.ABNORMAL)

    async def _serve(self, endpoint: SocketEndpoint) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write)
            try:
                await endpoint(self)
            except* SessionClosed:
                pass
            except* Exception as group:
                self._metrics.error_contained()
                _log.error("session endpoint failed", exc_info=group)
                self._fail()
            if self._stage is Stage.HANDSHAKE:
                _log.error("session endpoint neither accepted nor rejected: %s", self._request.path)
                self.reject_nowait(Response(status=500))
            self.close_nowait()
            while self._queued_bytes and self._accepted:
                await self._queue_emptied()
            nursery.cancel_scope.cancel()

    def _fail(self) -> None:
        if self._stage is Stage.HANDSHAKE:
            self.reject_nowait(Response(status=500))
        self.close_nowait(CloseCode.INTERNAL_ERROR)

    async def _write(self) -> None:
        """The writer task. An error of the server below means that the peer is gone."""
        try:
            await self._wanted.wait()
            while not self._accepted:  # frames may be queued before the handshake is answered
                self._wanted = trio.Event()
                await self._wanted.wait()
            await self._send({"type": "websocket.accept", "subprotocol": None, "headers": []})
            while True:
                while self._queue:
                    frame = self._queue.popleft()
                    await self._write_frame(frame)
                    self._queued_bytes = max(0, self._queued_bytes - len(frame))
                self._emptied.set()
                self._wanted = trio.Event()
                await self._wanted.wait()
        except Exception as error:
            _log.debug("session over ASGI lost: %r", error)
            self._code = self._code or CloseCode.ABNORMAL
            self.abort_nowait()

    async def _write_frame(self, frame: Frame) -> None:
        opcode, payload = split_frame(frame)
        if opcode == TEXT:
            await self._send({"type": "websocket.send", "text": payload.decode(), "bytes": None})
        elif opcode == BINARY:
            await self._send({"type": "websocket.send", "text": None, "bytes": payload})
        elif opcode == CLOSE:
            code, reason = split_close(payload)
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _reject(self, response: Response) -> None:
        if not self._can_reject:
            await self._send({"type": "websocket.close", "code": int(CloseCode.POLICY_VIOLATION)})
            return
        fields = [(name.encode(), value.encode("latin-1")) for name, value in response_fields(response)]
        start = {"type": "websocket.http.response.start", "status": response.status, "headers": fields}
        await self._send(start)
        await self._send({"type": "websocket.http.response.body", "body": response.body, "more_body": False})


def asgi_sessions(
    app: AsgiApp,
    socket: SocketRoutes,
    limits: FrontLimits | None = None,
    metrics: FrontMetrics | None = None,
    registry: Registry | None = None,
) -> AsgiApp:
    """Wraps an ASGI application: WebSockets on our paths are sessions, all else goes through unchanged.

    registry: where the sessions are entered, so that a shutdown closes them; by default one that nobody looks at.
    """
    bounds = limits if limits is not None else FrontLimits()
    counters: FrontMetrics = metrics if metrics is not None else NoMetrics()
    sessions = registry if registry is not None else Registry(bounds)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = socket(scope["path"]) if scope["type"] == "websocket" else None
        if endpoint is None:
            await app(scope, receive, send)
            return
        session = AsgiSession(scope, receive, send, bounds, counters)
        with sessions.entered(session):
            await session.run(endpoint)

    return serve
