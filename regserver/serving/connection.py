"""One client connection, request by request, until it becomes a session, changes to HTTP/2 or ends.

    idle ──first byte──▶ head ──▶ body ──▶ answering ──▶ idle        (HTTP/1.1, kept alive)
                          └──upgrade on one of our paths──▶ a session takes the link over

Each state has its deadline, at which the connection's one cancel scope is cancelled. What the client does wrong is answered once and ends
the connection, because where the next request would begin is then anybody's guess.
"""

import enum
import logging
from collections.abc import Callable
from contextlib import aclosing

import msgspec
import trio

from regserver.endpoint import Endpoint, Request, Response, SocketEndpoint, StreamResponse
from regserver.serving.answer import CONTINUE, encode_response, encode_stream_head, refusal
from regserver.serving.asgi import SocketRoutes
from regserver.serving.body import Chunks
from regserver.serving.deadline import NEVER, Deadlines
from regserver.serving.handshake import accept_head, is_upgrade, session_fields
from regserver.serving.head import PREFACE, BadHead, Head, find_end, parse_head
from regserver.serving.hypercorn_hook import Backend
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, LinkLost
from regserver.serving.metric import FrontMetrics
from regserver.serving.session import LinkSession

_log = logging.getLogger(__name__)


class State(enum.Enum):
    IDLE = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()
    ANSWERING = enum.auto()


class Context:
    """What all connections of a front door share."""

    def __init__(
        self,
        *,
        dispatch: Endpoint,
        socket: SocketRoutes,
        backend: Backend,
        limits: FrontLimits,
        metrics: FrontMetrics,
    ) -> None:
        self.dispatch = dispatch
        self.socket = socket
        self.backend = backend
        self.limits = limits
        self.metrics = metrics
        self.deadlines = Deadlines()
        self.closing = False
        self.spawn: Callable[..., None] = _no_nursery


def _no_nursery(*_: object) -> None:
    raise RuntimeError("the front door is not open")


class Connection:
    """Reads and answers requests on one link. Run once."""

    __slots__ = ("_buffer", "_context", "_last", "_link", "_scope", "_served", "due", "state")

    def __init__(self, context: Context, link: Link) -> None:
        self._context = context
        self._link = link
        self._buffer = b""
        self._last = False
        self._served = False
        self._scope = trio.CancelScope()
        self.due = NEVER
        self.state = State.IDLE

    def close_if_idle(self) -> None:
        """At shutdown: ends the connection unless a request is on its way or being answered."""
        if self.state is State.IDLE:
            self._link.close()

    def expire_nowait(self) -> None:
        """The time of this state is up."""
        self._scope.cancel()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._link.reset()
        self._scope.cancel()

    async def run(self) -> tuple[LinkSession, SocketEndpoint] | None:
        """Serves requests until the connection ends (None), or is to go on as a session."""
        session = None
        try:
            with self._scope:
                session = await self._serve()
            if session is not None:
                return session
            if self._scope.cancelled_caught and self.state in (State.HEAD, State.BODY):
                await self._refuse(408)
            elif not self._scope.cancelled_caught or self._served:
                await self._link.finish(self._context.limits.linger_seconds)
        except LinkLost:
            pass
        return None

    async def _serve(self) -> tuple[LinkSession, SocketEndpoint] | None:
        try:
            while not self._last:
                raw = await self._read_head()
                if not raw:
                    return None
                if raw == PREFACE[:-6] and not self._served:
                    self.due = NEVER
                    self.state = State.ANSWERING
                    await self._context.backend.serve_http2(self._link, raw + self._buffer)
                    return None
                head = parse_head(raw, self._context.limits)
                if head.upgrade and is_upgrade(head):
                    endpoint = self._context.socket(head.path)
                    if endpoint is not None:
                        return self._session(head), endpoint
                await self._answer(head)
                self._served = True
        except BadHead as bad:
            await self._refuse(bad.status)
        return None

    # Reading a request.

    async def _read_head(self) -> bytes:
        """The next head, or b"" when there will be none. Raises BadHead."""
        limits = self._context.limits
        if self._buffer:
            await trio.lowlevel.checkpoint()  # pipelined: the others get their turn
        self.state = State.IDLE
        if self._context.closing and not self._buffer:
            return b""
        self.due = self._context.deadlines.after(limits.idle_seconds if self._served else limits.head_seconds)
        skipped = False
        while True:
            if not skipped and self._buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: one empty line may go ahead
                self._buffer = self._buffer[2:]
                skipped = True
            if self._buffer:
                end = find_end(self._buffer, limits)
                if end:
                    head, self._buffer = self._buffer[:end], self._buffer[end:]
                    return head
                if self.state is State.IDLE:
                    self.state = State.HEAD
                    self.due = self._context.deadlines.after(limits.head_seconds)
            data = await self._link.receive()
            if not data:
                return b""
            self._buffer += data

    async def _read_body(self, head: Head) -> bytes | None:
        """The whole body; None when it is over the bound. Raises BadHead, LinkLost."""
        length = head.length
        limits = self._context.limits
        if 0 <= length <= len(self._buffer):
            body, self._buffer = self._buffer[:length], self._buffer[length:]
            return body if length <= limits.body_bytes else None
        if length > limits.body_bytes:
            return None
        self.state = State.BODY
        self.due = self._context.deadlines.after(limits.body_seconds)
        if head.expects_continue and not self._buffer:
            await self._link.send_all(CONTINUE)
        return await (self._read_chunks() if length < 0 else self._read_counted(length))

    async def _read_counted(self, length: int) -> bytes:
        parts = [self._buffer]
        missing = length - len(self._buffer)
        while missing > 0:
            data = await self._link.receive()
            if not data:
                raise LinkLost
            parts.append(data)
            missing -= len(data)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    async def _read_chunks(self) -> bytes | None:
        chunks = Chunks(self._context.limits.body_bytes)
        chunks.feed(self._buffer)
        while not (chunks.done or chunks.oversized):
            data = await self._link.receive()
            if not data:
                raise LinkLost
            chunks.feed(data)
        self._buffer = chunks.rest
        return None if chunks.oversized else bytes(chunks.body)

    # Answering it.

    async def _answer(self, head: Head) -> None:
        context = self._context
        body = await self._read_body(head) if head.length else b""
        self.state = State.ANSWERING
        self.due = NEVER
        response = await self._dispatch(self._request(head, body))
        if isinstance(response, StreamResponse):
            return await self._stream(response)
        self._last = head.close or body is None or context.closing
        await self._link.send_all(encode_response(response, head.method, close=self._last))

    async def _stream(self, response: StreamResponse) -> None:
        """Writes a body of unknown length, which the end of the connection ends (RFC 9112, 6.3)."""
        self._last = True
        await self._link.send_all(encode_stream_head(response))
        async with aclosing(response.stream) as pieces, trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, nursery.cancel_scope)
            async for piece in pieces:
                await self._link.send_all(piece)
            nursery.cancel_scope.cancel()

    async def _watch(self, stream: trio.CancelScope) -> None:
        """A client that is gone needs no more; whatever it still sends is dropped."""
        while await self._link.receive():
            pass
        stream.cancel()

    async def _dispatch(self, request: Request) -> Response:
        try:
            return await self._context.dispatch(request)
        except Exception:
            self._context.metrics.error_contained()
            _log.exception("dispatcher failed")
            return refusal(500)

    def _request(self, head: Head, body: bytes | None) -> Request:
        return Request(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.fields,
            body=body or b"",
            oversized=body is None,
            peer=self._link.peer,
            scheme=self._link.scheme,
        )

    def _session(self, head: Head) -> LinkSession:
        context = self._context
        request = self._request(head, b"")
        return LinkSession(
            msgspec.structs.replace(request, headers=session_fields(request.headers)),
            self._link,
            accept_head(head),
            self._buffer,
            context.limits,
            context.metrics,
            context.spawn,
        )

    async def _refuse(self, status: int) -> None:
        self._context.metrics.request_refused(status)
        self.due = NEVER
        self.state = State.ANSWERING
        await self._link.send_all(encode_response(refusal(status), "GET", close=True))
        await self._link.finish(self._context.limits.linger_seconds)
