"""One client connection: reads requests and answers them, until it becomes a session, changes to HTTP/2 or ends.

Its states and their deadlines are in connection_state.py. A deadline cancels the connection's one cancel scope. A malformed
request is answered once and ends the connection, since the beginning of the next request is unknown.
"""

import logging
from collections.abc import Callable
from typing import Final

import msgspec
import trio

from regserver.endpoint import Endpoint, Request, Response, SocketEndpoint, StreamResponse
from regserver.serving.answer import BODILESS, CONTINUE, encode_head, encode_response, refusal
from regserver.serving.asgi import SocketRoutes
from regserver.serving.body import Chunks
from regserver.serving.client_stream import LOST, ClientStream, PlainStream
from regserver.serving.connection_state import (
    NEVER,
    TRANSITIONS,
    WITHOUT_A_REQUEST,
    ConnectionEvent,
    ConnectionState,
    timeouts,
)
from regserver.serving.deadline import Deadlines
from regserver.serving.handshake import accept_head, is_upgrade, session_fields
from regserver.serving.head import PREFACE_HEAD, BadHead, Head, find_end, parse_head
from regserver.serving.held import LARGE_BYTES
from regserver.serving.response_batch import ResponseBatch
from regserver.serving.response_stream import ResponseStream
from regserver.serving.session_core import SessionContext
from regserver.serving.transport import Greeting, SocketTransport

_log = logging.getLogger(__name__)

# What every request passes. Read from its class, a member takes a quarter of a microsecond (Python 3.11).
_REQUEST: Final = ConnectionEvent.REQUEST
_ANSWERED: Final = ConnectionEvent.ANSWERED


Admit = Callable[[Request], Response | None]
"""Counts a request whose body has not come yet against its limit: the refusal, or None. Its body, when it has come, is
dispatched with `is_admitted`."""


class ConnectionContext:
    """The common state of all connections of a front door. closing: the server stops; no connection waits for a request.

    leaving: it will stop; each answer ends its connection, so that the next request goes elsewhere.

    admit: for HTTP/2, where many bodies may come at once; over HTTP/1.1 there is one at a time.
    """

    def __init__(
        self,
        *,
        dispatch: Endpoint,
        admit: Admit,
        socket: SocketRoutes,
        sessions: SessionContext,
    ) -> None:
        self.dispatch = dispatch
        self.admit = admit
        self.socket = socket
        self.sessions = sessions
        self.limits = sessions.limits
        self.metrics = sessions.metrics
        self.timeouts = timeouts(self.limits)
        self.deadlines = Deadlines()
        self.responses = ResponseBatch()
        self.closing = self.leaving = False

    def fail(self) -> Response:
        """The answer when the dispatcher has raised."""
        self.metrics.error_contained()
        _log.exception("dispatcher failed")
        return refusal(500, self.limits)


class Upgrade(msgspec.Struct, frozen=True):
    """A WebSocket upgrade on a known path."""

    request: Request
    transport: SocketTransport
    endpoint: SocketEndpoint


class Switch(msgspec.Struct, frozen=True):
    """The client speaks HTTP/2. early: its bytes until now."""

    early: bytes


class Connection:
    """Reads and answers requests on one stream."""

    __slots__ = ("_buffer", "_context", "_is_first", "_is_last", "_scope", "_stream", "due", "state")

    def __init__(self, context: ConnectionContext, stream: ClientStream) -> None:
        self._context = context
        self._stream = stream
        self._buffer = b""
        self._is_first = True
        self._is_last = False  # the present request ends the connection
        self._scope = trio.CancelScope()
        self.state = ConnectionState.FRESH
        self.due = context.deadlines.soon + context.timeouts[self.state]

    def _enter(self, event: ConnectionEvent) -> None:
        context = self._context
        self.state = state = TRANSITIONS[self.state][event]
        self.due = context.deadlines.soon + context.timeouts[state]

    def close_if_idle(self) -> None:
        """At shutdown: closes the connection unless a request is being read or answered."""
        if self.state in WITHOUT_A_REQUEST and self._stream.unsent is None:
            self._stream.close()

    @property
    def idle_since(self) -> float:
        """See Timed."""
        return self.due - self._context.timeouts[self.state] if self.state in WITHOUT_A_REQUEST else NEVER

    def evict_nowait(self) -> None:
        """Its place is needed."""
        self.close_if_idle()

    def expire_nowait(self) -> None:
        """The deadline of the present state has passed."""
        self.due = NEVER
        self._scope.cancel()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._stream.reset()
        self._scope.cancel()

    async def run(self) -> Upgrade | Switch | None:
        """Serves requests until the connection ends (None), becomes a session, or changes to HTTP/2."""
        try:
            with self._scope:
                if (upgrade := await self._serve()) is not None:
                    return upgrade
            if not self._scope.cancelled_caught:
                await self._stream.finish(self._context.limits.linger_seconds)
            elif self.state in (ConnectionState.HEAD, ConnectionState.BODY):
                await self._refuse(408)
            elif self.state is ConnectionState.IDLE:
                await self._stream.finish(self._context.limits.linger_seconds)
        except LOST:
            pass
        return None

    async def _serve(self) -> Upgrade | Switch | None:
        try:
            while not self._is_last:
                raw = await self._read_head()
                if not raw:
                    return None
                if self._is_first and raw == PREFACE_HEAD and self._context.limits.http2_streams:
                    self._enter(ConnectionEvent.SWITCHED)
                    return Switch(raw + self._buffer)
                head = parse_head(raw, self._context.limits)
                if head.upgrade and is_upgrade(head):
                    endpoint = self._context.socket(head.path)
                    if endpoint is not None:
                        return self._upgrade(head, endpoint)
                await self._answer(head)
        except BadHead as bad:
            await self._refuse(bad.status)
        return None

    # Reading a request.

    async def _read_head(self) -> bytes:
        """The next head, or b"" at the end. Raises BadHead, LOST."""
        limits = self._context.limits
        buffer = self._buffer
        if buffer:
            await trio.lowlevel.checkpoint()  # a pipelined request: other tasks run first
            await self._catch_up()
        elif self._context.closing:
            return b""
        skipped = False
        while True:
            if not skipped and buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: one empty line may go ahead
                buffer = buffer[2:]
                skipped = True
            if buffer:
                if end := find_end(buffer, limits):
                    self._buffer = buffer[end:]
                    return buffer[:end]
                if self.state is not ConnectionState.HEAD:
                    self._enter(ConnectionEvent.PART)
            try:
                data = await self._stream.receive_some()
            except trio.ClosedResourceError:
                if self._stream.unsent is None:
                    raise
                data = None  # interrupted
            if self._stream.unsent is not None:
                await self._catch_up()
                if data is None and self._context.closing:
                    return b""
            if data is None:
                continue
            if not data:
                return b""
            buffer += data

    async def _catch_up(self) -> None:
        """Sends what the socket has not taken of the response before: first of all, and so in IDLE. Raises LOST."""
        if isinstance(self._stream, PlainStream) and self._stream.unsent is not None:
            self._enter(ConnectionEvent.BEHIND)
            await self._stream.send_unsent()
            self._enter(_ANSWERED)

    def _take_body(self, length: int) -> bytes | None:
        """The whole body if it has come with its head, as a short one does; else None. length: see Head."""
        buffer = self._buffer
        if not 0 <= length <= len(buffer) or length > self._context.limits.body_bytes:
            return None
        self._buffer = buffer[length:]
        return buffer[:length]

    async def _read_body(self, head: Head) -> bytes | None:
        """The whole body, of which something is missing; None when it is over the bound. Raises BadHead, LOST."""
        length = head.length
        limits = self._context.limits
        if length > limits.body_bytes:
            return None
        self._enter(ConnectionEvent.PART_OF_BODY)
        if head.expects_continue and not self._buffer:
            await self._stream.send_all(CONTINUE)
        return await (self._read_chunks() if length < 0 else self._read_counted(length))

    async def _read_counted(self, length: int) -> bytes:
        parts = [self._buffer]
        missing = length - len(self._buffer)
        while missing > 0:
            data = await self._receive()
            parts.append(data)
            missing -= len(data)
        whole = b"".join(parts)
        self._buffer = whole[length:]
        return whole[:length]

    async def _read_chunks(self) -> bytes | None:
        chunks = Chunks(self._context.limits.body_bytes)
        chunks.feed(self._buffer)
        while not (chunks.done or chunks.oversized):
            chunks.feed(await self._receive())
        self._buffer = chunks.rest
        return None if chunks.oversized else bytes(chunks.body)

    async def _receive(self) -> bytes:
        data = await self._stream.receive_some()
        if not data:
            raise trio.BrokenResourceError("the client ends in the middle of a request")
        return bytes(data)

    # Answering it.

    async def _answer(self, head: Head) -> None:
        context = self._context
        body = self._take_body(head.length)
        if body is None:
            body = await self._read_body(head)
        self._enter(_REQUEST)
        if self._stream.held.budget.is_full:
            context.metrics.request_refused(503)
            response = refusal(503, context.limits)
        else:
            try:
                response = await context.dispatch(self._request(head, head.fields, body))
            except Exception:
                response = context.fail()
        # The beginning of the request after an oversized body is unknown.
        self._is_last = head.close or body is None or context.leaving
        if response.is_stream and isinstance(response, StreamResponse):
            await self._answer_stream(head, response)
        elif len(response.body) > LARGE_BYTES:
            await self._answer_large(head, response)
        else:
            data = encode_response(response, head.method, close=self._is_last)
            if self._is_last or not isinstance(self._stream, PlainStream):
                await self._stream.send_all(data)
            else:
                context.responses.add_nowait(self._stream, data)
        self._is_first = False
        if not self._is_last:
            self._enter(_ANSWERED)

    async def _answer_large(self, head: Head, response: Response) -> None:
        if not self._stream.held.admits(len(response.body)):
            self._context.metrics.request_refused(503)
            response = refusal(503, self._context.limits)
        encoded = encode_head(response, close=self._is_last)
        if head.method != "HEAD" and response.status not in BODILESS:
            await self._stream.send_parts(encoded, response.body)
        else:
            await self._stream.send_all(encoded)

    async def _answer_stream(self, head: Head, response: StreamResponse) -> None:
        stream = ResponseStream(
            self._stream,
            is_chunked=head.minor_version > 0,
            room=self._context.limits.head_bytes - len(self._buffer),
        )
        try:
            whole = await stream.send(response, head.method, close=self._is_last)
        except Exception:
            self._context.metrics.error_contained()
            _log.exception("a response stream failed")
            whole = False
        self._buffer += stream.received
        if not whole:
            self._is_last = True
            stream.cut()

    def _request(self, head: Head, fields: dict[str, str], body: bytes | None) -> Request:
        return Request(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=fields,
            body=body or b"",
            oversized=body is None,
            peer=self._stream.peer,
            scheme=self._stream.scheme,
            gone=self._stream.gone,
        )

    def _upgrade(self, head: Head, endpoint: SocketEndpoint) -> Upgrade:
        return Upgrade(
            self._request(head, session_fields(head.fields), b""),
            SocketTransport(self._stream, Greeting(accept_head(head), self._buffer), self._context.limits),
            endpoint,
        )

    async def _refuse(self, status: int) -> None:
        self._context.metrics.request_refused(status)
        self._enter(ConnectionEvent.REFUSED)
        response = refusal(status, self._context.limits)
        await self._stream.send_all(encode_response(response, "GET", close=True))
        await self._stream.finish(self._context.limits.linger_seconds)
