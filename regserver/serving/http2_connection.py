"""One HTTP/2 connection: its task reads frames; each whole request is answered, and each WebSocket served, in a task of its own.

    bytes → FrameMeter → h2 → events ─┬─ head ──▶ bounds, limit, budget ──▶ body ──▶ dispatch ──▶ response
                                      └─ CONNECT ──▶ run_session on an Http2Transport

Every time and bound is that of HTTP/1.1: a head, a body, a response, an idle connection. A request has no task until it is
whole; its body is held in a budget of the connection. Frames that carry nothing are counted, and a flood of them ends the
connection with ENHANCE_YOUR_CALM. Small reads, each with a checkpoint, let other connections in between.
"""

import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

import h2.events
import msgspec
import trio
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from regserver.endpoint import Request
from regserver.serving.answer import refusal
from regserver.serving.client_stream import LOST, ClientStream
from regserver.serving.connection import ConnectionContext
from regserver.serving.connection_state import NEVER
from regserver.serving.handshake import session_fields
from regserver.serving.head import PREFACE, BadHead
from regserver.serving.held import LARGE_BYTES
from regserver.serving.http2_body import Http2Bodies
from regserver.serving.http2_head import Http2Head, parse_http2_head, request_of
from regserver.serving.http2_meter import Flood, FrameMeter, FrameTooLong
from regserver.serving.http2_stream import Http2Stream
from regserver.serving.http2_transport import Http2Transport
from regserver.serving.http2_wire import Http2Wire
from regserver.serving.reference_cycle import HTTP2_CYCLE, break_cycle, check_cycle
from regserver.serving.session import run_session

_log = logging.getLogger(__name__)
check_cycle(H2Connection, HTTP2_CYCLE)

_READ_BYTES: Final = 2048  # at most 227 frames, which h2 handles without a checkpoint in some milliseconds


class Http2Connection:
    """Serves one connection. Kept in Deadlines as a Connection is: due, idle_since in seconds of the monotonic clock."""

    def __init__(
        self, context: ConnectionContext, stream: ClientStream, early: bytes, nursery: trio.Nursery
    ) -> None:
        """early: the first bytes, if they were read already. nursery: of the streams; cancelling it ends the connection."""
        self._context = context
        self._limits = context.limits
        self._stream = stream
        self._early = early
        self._meter = FrameMeter(len(PREFACE))
        self._wire = Http2Wire(stream, self._meter, context.limits)
        self._streams: dict[int, Http2Stream] = {}
        self._bodies = Http2Bodies(stream.held, context.limits)
        self._is_leaving = False
        self._nursery = nursery
        self._midway_since = NEVER
        self.idle_since = context.deadlines.soon
        self.due = self.idle_since + context.limits.idle_seconds

    async def run(self) -> None:
        """Reads until the connection ends."""
        with contextlib.suppress(*LOST):
            await self._serve()
        for stream in self._streams.values():
            stream.lose_nowait()

    def forget(self) -> None:
        """Breaks the reference cycle; called when all streams have ended."""
        break_cycle(self._wire.http, HTTP2_CYCLE)

    async def _serve(self) -> None:
        await self._wire.flush()
        if self._context.closing:
            self.close_if_idle()
        while data := await self._read():
            try:
                self._meter.feed(data)
                events = self._wire.http.receive_data(data)
            except Flood as flood:
                self._context.metrics.connection_cut("flood")
                # Not the exception itself: a log record may outlive the connection.
                _log.warning("%s: too many %s", self._stream.peer, str(flood))
                return await self._wire.close(ErrorCodes.ENHANCE_YOUR_CALM)
            except FrameTooLong:
                return await self._wire.close(ErrorCodes.FRAME_SIZE_ERROR)
            except ProtocolError:
                return await self._wire.flush()  # h2 has prepared a GOAWAY
            for event in events:
                if (handle := _HANDLERS.get(type(event))) is not None:
                    handle(self, event)
            await self._wire.flush()
            self._set_due()
        return None

    async def _read(self) -> bytes:
        if self._early:
            await trio.lowlevel.checkpoint()
            data, self._early = self._early[:_READ_BYTES], self._early[_READ_BYTES:]
            return data
        return await self._stream.receive_some(_READ_BYTES)

    # Events of the client. None of these methods has a checkpoint.

    def _begin(self, event: h2.events.RequestReceived) -> None:
        number = event.stream_id
        if self._is_leaving:
            return self._wire.refuse(number)
        stream = self._streams[number] = Http2Stream(self._wire, number, self._stream.held, self._limits)
        self.idle_since = NEVER
        try:
            head = stream.head = parse_http2_head(event.headers or (), self._limits)
        except BadHead as bad:
            return self._refuse(stream, bad.status)
        if head.protocol:
            self._upgrade(stream, head)
        elif self._stream.held.budget.is_full:
            self._refuse(stream, 503)
        elif event.stream_ended is None:
            self._await_body(stream, head)
        return None

    def _await_body(self, stream: Http2Stream, head: Http2Head) -> None:
        """The limit is asked first, so that a body over it is not held."""
        request = request_of(head, self._stream)
        if (refused := self._context.admit(request)) is not None:
            return self._take(stream, stream.respond(refused, head.method))
        stream.due = self._context.deadlines.soon + self._limits.body_seconds
        if head.length > self._limits.body_bytes:
            return self._dispatch(stream, msgspec.structs.replace(request, oversized=True))
        self._bodies.begin(stream)
        if head.expects_continue:
            self._wire.go_on(stream.number)

    def _receive(self, event: h2.events.DataReceived) -> None:
        size = event.flow_controlled_length or 0
        self._wire.restore(size)
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        data = event.data or b""
        if stream.is_socket:
            stream.inbound += data
            stream.restore(size - len(data))  # the padding
            stream.move_nowait()
        elif not stream.is_taken:
            self._receive_body(stream, data, size)
        # Data for a stream that is being answered is dropped, and its window stays shut.

    def _receive_body(self, stream: Http2Stream, data: bytes, size: int) -> None:
        match self._bodies.receive(stream, data):
            case 0:
                stream.restore(size)
            case 413:
                self._dispatch(stream, request_of(stream.head, self._stream, oversized=True))
            case status:
                self._refuse(stream, status)

    def _end_request(self, event: h2.events.StreamEnded) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        stream.is_whole = True
        if stream.is_socket:
            stream.move_nowait()
        elif not stream.is_taken:
            self._dispatch(stream, request_of(stream.head, self._stream, bytes(stream.inbound)))

    def _lose(self, event: h2.events.StreamReset) -> None:
        if (stream := self._streams.get(event.stream_id)) is not None:
            stream.lose_nowait()
            if not stream.is_taken:
                self._drop(stream)

    def _move(self, event: h2.events.WindowUpdated) -> None:
        if not event.stream_id:
            return self._move_all(event)
        if (stream := self._streams.get(event.stream_id)) is not None:
            stream.move_nowait()
        return None

    def _move_all(self, _: h2.events.Event) -> None:
        for stream in list(self._streams.values()):
            stream.move_nowait()

    def _leave(self, _: h2.events.ConnectionTerminated) -> None:
        # h2 sends nothing after the peer's GOAWAY.
        self._end()

    # Answers.

    def _upgrade(self, stream: Http2Stream, head: Http2Head) -> None:
        """RFC 8441, 5. Another protocol is not implemented; a version that is not 13 is a bad request."""
        if head.protocol != "websocket":
            return self._refuse(stream, 501)
        if head.fields.get("sec-websocket-version") != "13":
            return self._refuse(stream, 400)
        endpoint = self._context.socket(head.path)
        if endpoint is None:
            return self._dispatch(stream, request_of(head, self._stream))
        stream.is_socket = True
        request = request_of(head, self._stream)
        request = msgspec.structs.replace(request, method="GET", headers=session_fields(head.fields))
        transport = Http2Transport(stream, self._limits)
        # Made here and not in the task, whose frame would hold the request, which may contain a token.
        return self._take(stream, run_session(self._context.sessions, request, transport, endpoint))

    def _refuse(self, stream: Http2Stream, status: int) -> None:
        self._context.metrics.request_refused(status)
        self._take(stream, stream.respond(refusal(status, self._limits), "GET"))

    def _dispatch(self, stream: Http2Stream, request: Request) -> None:
        if stream.due != NEVER:
            request = msgspec.structs.replace(request, is_admitted=True)
        self._take(stream, self._answer(stream, request))

    def _take(self, stream: Http2Stream, work: Coroutine[Any, Any, None]) -> None:
        stream.is_taken = True
        self._bodies.finish(stream)
        self._nursery.start_soon(self._run, stream, work, name="stream")

    async def _run(self, stream: Http2Stream, work: Coroutine[Any, Any, None]) -> None:
        try:
            with stream.scope:
                await work
        except LOST:
            pass
        except Exception:
            self._context.metrics.error_contained()
            _log.exception("a stream failed")
        finally:
            self._drop(stream)
        with contextlib.suppress(*LOST):
            await self._settle(stream)

    async def _answer(self, stream: Http2Stream, request: Request) -> None:
        try:
            response = await self._context.dispatch(request)
        except Exception:
            response = self._context.fail()
        if len(response.body) > LARGE_BYTES and not self._stream.held.admits(len(response.body)):
            response = refusal(503, self._limits)
        await stream.respond(response, request.method)

    async def _settle(self, stream: Http2Stream) -> None:
        """Resets a stream that has not ended on both sides: after an early answer, a failure, a deadline."""
        if stream.is_ended and stream.is_whole:
            self._meter.answered()
        elif not stream.is_lost:
            await self._wire.reset(
                stream.number, ErrorCodes.NO_ERROR if stream.is_ended else ErrorCodes.CANCEL
            )
        if self._is_leaving:
            await self._end_if_idle()

    def _drop(self, stream: Http2Stream) -> None:
        self._streams.pop(stream.number, None)
        if not stream.is_socket:
            self._bodies.drop(stream)
        if not self._streams:
            self.idle_since = self._context.deadlines.soon
        self._set_due()

    # Deadlines and the end.

    def _set_due(self) -> None:
        soon = self._context.deadlines.soon
        if not self._meter.is_midway:
            self._midway_since = NEVER
        elif self._midway_since == NEVER:
            self._midway_since = soon
        head = NEVER if self._streams else self._midway_since
        self.due = min(
            self._bodies.due,
            head + self._limits.head_seconds,
            self.idle_since + self._limits.idle_seconds,
        )

    def expire_nowait(self) -> None:
        """A body is late, a head is, or the connection has been idle for too long."""
        now = self._context.deadlines.soon
        for stream in self._bodies.late(now):
            self._refuse(stream, 408)
        self._set_due()
        if self.due < now:
            self.due = NEVER
            self.close_if_idle()

    def close_if_idle(self) -> None:
        """Ends the connection, now or when the present streams have ended; further ones are refused."""
        if not self._is_leaving:
            self._is_leaving = True
            self._nursery.start_soon(self._end_if_idle)

    async def _end_if_idle(self) -> None:
        """Not before the last stream has ended: many clients take a GOAWAY for the end of everything, as h2 does."""
        if not self._streams:
            with contextlib.suppress(*LOST):
                await self._wire.close(ErrorCodes.NO_ERROR)
            self._end()

    def _end(self) -> None:
        self._nursery.cancel_scope.cancel()

    def evict_nowait(self) -> None:
        """Closes the connection at once: its place is needed."""
        self._stream.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._stream.reset()


_HANDLERS: Final[dict[type, Callable[[Http2Connection, Any], None]]] = {
    h2.events.RequestReceived: Http2Connection._begin,
    h2.events.DataReceived: Http2Connection._receive,
    h2.events.StreamEnded: Http2Connection._end_request,
    h2.events.StreamReset: Http2Connection._lose,
    h2.events.WindowUpdated: Http2Connection._move,
    h2.events.RemoteSettingsChanged: Http2Connection._move_all,
    h2.events.ConnectionTerminated: Http2Connection._leave,
}


async def serve_http2(context: ConnectionContext, stream: ClientStream, early: bytes) -> None:
    """Serves a whole HTTP/2 connection. early: its first bytes, if they were read already."""
    timed = context.deadlines.connections
    async with trio.open_nursery() as nursery:
        connection = Http2Connection(context, stream, early, nursery)
        timed.add(connection)
        try:
            await connection.run()
        finally:
            timed.discard(connection)
        nursery.cancel_scope.cancel()
    connection.forget()
    with contextlib.suppress(*LOST):
        await stream.finish(context.limits.linger_seconds)
