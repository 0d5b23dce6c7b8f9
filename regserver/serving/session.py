"""A WebSocket session of our own: one task, one cancel scope, one socket, and writes that never block.

    handshake ──accept──▶ open ──close──▶ closing ──peer's Close, or time is up──▶ over
        └──────reject, or an endpoint that does neither──────────────────────────────▲

All reading happens in the session's own task, inside `receive` or `wait_closed`: nothing is read while nobody wants
it, and TCP passes that on to the peer. Writing happens in whatever task calls `send_nowait`: it goes straight to the
socket while that takes it. What it does not take waits in a queue, bounded in bytes, and a drain task that lives as
long as the queue is not empty empties it. Past the bound the peer is too slow: the queue is dropped, except for a
frame of which half is on its way, and the session closes with TRY_AGAIN_LATER.
"""

import logging
from collections.abc import Callable

import trio

from regserver.endpoint import CloseCode, Request, Response, SessionClosed, SocketEndpoint, SocketSession
from regserver.serving.answer import encode_response
from regserver.serving.broadcast import not_direct
from regserver.serving.frame import close_frame, ping_frame, pong_frame
from regserver.serving.handshake import kept
from regserver.serving.inbound import Decoder, PeerClosed, Pinged, Received, Violated
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, LinkLost
from regserver.serving.metric import FrontMetrics
from regserver.serving.outbound import Outbound, Stage

_log = logging.getLogger(__name__)

_PING = ping_frame()
_READ_BYTES = 4096  # 680 of the smallest frames: what a peer can make us parse before others get their turn


class LinkSession(Outbound):
    """The SocketSession of regserver.endpoint on a socket. Made by the front door, run once, in its connection's task."""

    __slots__ = (
        "__weakref__",
        "_accept_head",
        "_alive",
        "_code",
        "_decoder",
        "_early",
        "_inbox",
        "_reading",
        "_rejection",
        "_request",
        "_scope",
    )

    def __init__(
        self,
        request: Request,
        link: Link,
        accept_head: bytes,
        early: bytes,
        limits: FrontLimits,
        metrics: FrontMetrics,
        spawn: Callable[..., None],
    ) -> None:
        """accept_head: the 101 response. early: bytes that came behind the request. spawn: starts a drain task."""
        super().__init__(link, limits, metrics, spawn)
        self._request = request
        self._accept_head = accept_head
        self._early = early
        self._scope = trio.CancelScope(deadline=trio.current_time() + limits.accept_seconds)
        self._code = 0
        self._rejection: Response | None = None
        self._decoder = Decoder(limits.message_bytes)
        self._inbox: list[str | bytes] = []  # newest first
        self._alive = True
        self._reading = False

    @property
    def request(self) -> Request:
        return self._request

    # The handshake.

    def accept_nowait(self) -> None:
        if self._stage is not Stage.HANDSHAKE:
            return
        self._stage = Stage.OPEN
        self._request = kept(self._request)
        self._scope.deadline = float("inf")
        self._metrics.session_opened()
        # Frames sent before this moment were queued; the answer goes ahead of them.
        self._queue.insert(0, self._accept_head)
        self._queued_bytes += len(self._accept_head)
        self._accept_head = b""
        self._flush_nowait()
        if self._early:
            self._take(self._early)
            self._early = b""

    def reject_nowait(self, response: Response) -> None:
        if self._stage is Stage.HANDSHAKE:
            self._stage = Stage.OVER
            self._rejection = response
            self._code = CloseCode.ABNORMAL

    def _fall_behind(self) -> None:
        self.close_nowait(CloseCode.TRY_AGAIN_LATER, "too slow")

    # Reading.

    async def receive(self) -> str | bytes:
        while not self._inbox:
            if self._stage is not Stage.OPEN:
                raise SessionClosed(self._code)
            await self._read()
        return self._inbox.pop()

    async def wait_closed(self) -> int:
        while self._stage is Stage.OPEN or self._stage is Stage.CLOSING:
            await self._read()
            self._inbox.clear()
        return self._code

    async def _read(self) -> None:
        self._reading = self._alive = True  # whoever was not reading cannot have seen a pong
        try:
            data = await self._link.receive(_READ_BYTES)
        finally:
            self._reading = False
        self._alive = True
        if data:
            self._take(data)
        else:
            self._end()

    def _take(self, data: bytes) -> None:
        for inbound in self._decoder.feed(data):
            match inbound:
                case Received(message):
                    if self._stage is Stage.OPEN:
                        self._inbox.insert(0, message)
                case Pinged(payload):
                    if self._stage is Stage.OPEN:
                        self.send_nowait(pong_frame(payload))
                case PeerClosed(code):
                    self._answer_close(code)
                case Violated(code):
                    self._answer_close(code)

    def _answer_close(self, code: int) -> None:
        """The peer closed, or must not be listened to any more: send a Close unless one is on its way; then over."""
        if self._stage is Stage.OPEN:
            self.close_nowait(code)
        self._stage = Stage.OVER

    # Closing.

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        if self._stage is Stage.HANDSHAKE:
            return self.reject_nowait(
                Response(status=503 if code in (CloseCode.GOING_AWAY, CloseCode.TRY_AGAIN_LATER) else 403)
            )
        if self._stage is not Stage.OPEN:
            return None
        self._code = code
        limit = trio.current_time() + self._limits.close_seconds
        self._scope.deadline = min(self._scope.deadline, limit)
        frame = close_frame(code, reason)
        if self.direct is not_direct:
            self._push(frame)  # past the bound if need be: it is the last one
        else:
            self.send_nowait(frame)
        self.direct = not_direct
        if self._stage is Stage.OPEN:
            self._stage = Stage.CLOSING
        return None

    def _lose(self) -> None:
        self._end()
        self._scope.cancel()

    def _end(self) -> None:
        """Nothing comes or goes any more. An endpoint that reads learns it by SessionClosed, others are cancelled."""
        self.direct = not_direct
        self._queue.clear()
        self._queued_bytes = 0
        if self._stage is not Stage.OVER:
            self._code = self._code or CloseCode.ABNORMAL
            self._stage = Stage.OVER

    def abort_nowait(self) -> None:
        """Ends the session at once, without a closing handshake."""
        self._lose()
        self._link.reset()

    def ping_nowait(self) -> None:
        """Asks the peer for a sign of life; see is_silent."""
        if self._stage is Stage.OPEN:
            self._alive = False
            self.send_nowait(_PING)

    @property
    def is_silent(self) -> bool:
        """Nothing came since the last ping, although somebody was reading."""
        return not self._alive and self._reading

    # The whole life.

    async def run(self, endpoint: SocketEndpoint) -> None:
        """Serves the session to its very end. Raises nothing but Cancelled."""
        try:
            with self._scope:
                await self._serve(endpoint)
                self._end_handshake()
                self.close_nowait()
                await self.wait_closed()
                while self._draining:
                    await self._drain_ended()
            if self._stage is Stage.HANDSHAKE:  # the scope's deadline was the one for accepting
                self.reject_nowait(Response(status=503, headers=(("retry-after", "1"),)))
            await self._farewell()
        finally:
            self._stage = Stage.OVER
            self.direct = not_direct
            if not self._accept_head:
                self._metrics.session_closed(self._code or CloseCode.ABNORMAL)
            if self._draining:  # the peer takes nothing: the kernel shall not go on trying
                self._link.reset()
            else:
                self._link.close()

    async def _serve(self, endpoint: SocketEndpoint) -> None:
        try:
            await endpoint(self)
        except* SessionClosed:
            pass
        except* Exception as group:
            self._metrics.error_contained()
            _log.error("session endpoint failed", exc_info=group)
            if self._stage is Stage.HANDSHAKE:
                self.reject_nowait(Response(status=500))
            self.close_nowait(CloseCode.INTERNAL_ERROR)

    def _end_handshake(self) -> None:
        if self._stage is Stage.HANDSHAKE:
            _log.error("session endpoint neither accepted nor rejected: %s", self._request.path)
            self.reject_nowait(Response(status=500))

    async def _farewell(self) -> None:
        """Sends a rejection, or lets a Close frame arrive; bounded in time."""
        try:
            if self._rejection is not None:
                await self._link.send_all(encode_response(self._rejection, "GET", close=True))
            if not self._scope.cancelled_caught or self._rejection is not None:
                await self._link.finish(self._limits.linger_seconds)
        except LinkLost:
            pass


async def receive_text(session: SocketSession) -> str:
    """The next message for an endpoint that takes text only; a binary one ends the session (RFC 6455, 7.4.1).

    Raises SessionClosed when there will be none, with UNSUPPORTED_DATA when that was the reason.
    """
    message = await session.receive()
    if isinstance(message, bytes):
        session.close_nowait(CloseCode.UNSUPPORTED_DATA, "text only")
        raise SessionClosed(CloseCode.UNSUPPORTED_DATA)
    return message
