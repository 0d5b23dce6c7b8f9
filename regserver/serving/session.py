"""A WebSocket session of our own: one task, one cancel scope, one socket, and writes that never block.

    handshake ──accept──▶ open ──close──▶ closing ──peer's Close, or time is up──▶ over
        └──────reject, or an endpoint that does neither──────────────────────────────▲

All reading happens in the session's own task, inside `receive` or `wait_closed`: nothing is read while nobody wants
it, and TCP passes that on to the peer. Writing happens in whatever task calls `send_nowait`: it goes straight to the
socket while that takes it. What it does not take waits in a queue, bounded in bytes, and a drain task that lives as
long as the queue is not empty empties it. Past the bound the peer is too slow: the queue is dropped, except for a
frame of which half is on its way, and the session closes with 1013.
"""

import enum
import logging
from collections.abc import Callable

import trio

from regserver.endpoint import Frame, Request, Response, SessionClosed, SessionEndpoint
from regserver.serving.answer import encode_response
from regserver.serving.frame import close_frame, ping_frame, pong_frame, text_frame
from regserver.serving.inbound import Decoder, PeerClosed, Pinged, Received, Violated
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, LinkLost
from regserver.serving.metric import FrontMetrics

_log = logging.getLogger(__name__)

LOST = 1006
TOO_SLOW = 1013
GOING_AWAY = 1001
INTERNAL_ERROR = 1011
_PING = ping_frame()
_GATHER = 64  # frames per write of the drain task; well below IOV_MAX
_READ_BYTES = 4096  # 680 of the smallest frames: what a peer can make us parse before others get their turn
_JOIN_BYTES = 16 * 1024  # what the drain task of a TLS session joins: one record


class Stage(enum.IntEnum):
    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    OVER = 3


class LinkSession:
    """The Session of regserver.endpoint on a socket. Made by the front door, run once, in its connection's task."""

    __slots__ = (
        "__weakref__",
        "_accept_head",
        "_alive",
        "_code",
        "_decoder",
        "_direct",
        "_drained",
        "_draining",
        "_early",
        "_inbox",
        "_limits",
        "_link",
        "_metrics",
        "_queue",
        "_queued_bytes",
        "_reading",
        "_rejection",
        "_request",
        "_scope",
        "_spawn",
        "_split",
        "_stage",
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
        self._request = request
        self._link = link
        self._accept_head = accept_head
        self._limits = limits
        self._metrics = metrics
        self._spawn = spawn
        self._scope = trio.CancelScope(deadline=trio.current_time() + limits.accept_seconds)
        self._stage = Stage.HANDSHAKE
        self._code = 0
        self._direct: Callable[[bytes], int] | None = None
        self._queue: list[bytes] = []  # lists, since an empty deque takes 600 bytes and most stay empty
        self._queued_bytes = 0
        self._split = False
        self._draining = False
        self._drained: trio.Event | None = None
        self._decoder = Decoder(limits.message_bytes)
        self._inbox: list[str | bytes] = []  # newest first
        self._alive = True
        self._reading = False
        self._rejection: Response | None = None
        self._early = early

    @property
    def request(self) -> Request:
        return self._request

    # The handshake.

    def accept_nowait(self) -> None:
        if self._stage is not Stage.HANDSHAKE:
            return
        self._stage = Stage.OPEN
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
            self._code = LOST

    # Writing.

    def send_nowait(self, frame: Frame) -> bool:
        direct = self._direct
        if direct is None:
            return self._enqueue(frame)
        try:
            taken = direct(frame)
        except BlockingIOError:
            return self._enqueue(frame)
        except OSError:
            self._lose()
            return False
        if taken == len(frame):
            return True
        self._split = True
        return self._enqueue(frame[taken:])

    def send_text_nowait(self, text: str | bytes) -> bool:
        return self.send_nowait(text_frame(text))

    async def drained(self) -> None:
        """Until the peer has taken what was queued, or the session is over. For senders of more than the bound."""
        while self._draining and self._stage is Stage.OPEN:
            await self._drain_ended()

    async def _drain_ended(self) -> None:
        if self._drained is None:
            self._drained = trio.Event()
        await self._drained.wait()

    def _enqueue(self, data: bytes) -> bool:
        if self._stage > Stage.OPEN:
            return False
        if self._queued_bytes + len(data) > self._limits.queue_bytes:
            if self._split and not self._queue:
                self._push(
                    data
                )  # the rest of a frame that is half sent: without it the Close would be payload
            self._kick()
            return False
        self._push(data)
        return True

    def _push(self, data: bytes) -> None:
        self._direct = None
        self._queue.append(data)
        self._queued_bytes += len(data)
        if not self._draining and self._stage is not Stage.HANDSHAKE:
            self._draining = True
            self._spawn(self._drain)

    def _kick(self) -> None:
        if self._stage is Stage.HANDSHAKE:
            return self.reject_nowait(Response(status=503))
        kept = self._queue[0] if self._split and self._queue else b""
        self._queue.clear()
        self._queued_bytes = 0
        if kept:
            self._push(kept)
        self.close_nowait(TOO_SLOW, "too slow")
        return None

    def _flush_nowait(self) -> None:
        """Writes the queue as far as the socket takes it; a drain task does the rest."""
        send = self._link.send
        try:
            while send is not None and self._queue:
                self._sent(send(self._queue[0]))
        except BlockingIOError:
            pass
        except OSError:
            return self._lose()
        if self._queue:
            if not self._draining:
                self._draining = True
                self._spawn(self._drain)
        else:
            self._direct = send if self._stage is Stage.OPEN else None
        return None

    def _sent(self, taken: int) -> None:
        """Takes what was written off the queue."""
        self._queued_bytes -= taken
        whole = 0
        for frame in self._queue:
            if taken < len(frame):
                break
            taken -= len(frame)
            whole += 1
        del self._queue[:whole]
        self._split = taken > 0
        if taken:
            self._queue[0] = self._queue[0][taken:]

    async def _drain(self) -> None:
        """Runs in the front door's nursery, so nothing may escape it."""
        try:
            if self._link.send is None:
                await self._drain_stream()
            else:
                await self._drain_socket()
        except (LinkLost, OSError):
            self._lose()
        except Exception:
            self._metrics.error_contained()
            _log.exception("drain failed")
            self._lose()
        finally:
            self._draining = False
            if self._drained is not None:
                self._drained.set()
                self._drained = None
        if self._stage is Stage.OPEN and not self._queue:
            self._direct = self._link.send

    async def _drain_socket(self) -> None:
        while self._queue:
            await self._link.wait_writable()
            if not self._queue:  # dropped meanwhile
                return
            try:
                # The frames are shared with other sessions; a gathering write copies none of them.
                self._sent(self._link.sock.sendmsg(self._queue[:_GATHER]))
            except BlockingIOError:
                continue

    async def _drain_stream(self) -> None:
        while self._queue:
            count, size = 1, len(self._queue[0])
            while count < len(self._queue) and size + len(self._queue[count]) <= _JOIN_BYTES:
                size += len(self._queue[count])
                count += 1
            data = b"".join(self._queue[:count])
            del self._queue[:count]
            # Bytes count against the bound until they are written, though they left the queue.
            await self._link.send_all(data)
            self._queued_bytes = max(0, self._queued_bytes - size)

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
            self._lose(cancel=False)

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

    def close_nowait(self, code: int = 1000, reason: str = "") -> None:
        if self._stage is Stage.HANDSHAKE:
            return self.reject_nowait(Response(status=503 if code in (GOING_AWAY, TOO_SLOW) else 403))
        if self._stage is not Stage.OPEN:
            return None
        self._code = code
        limit = trio.current_time() + self._limits.close_seconds
        self._scope.deadline = min(self._scope.deadline, limit)
        frame = close_frame(code, reason)
        if self._direct is None:
            self._push(frame)  # past the bound if need be: it is the last one
        else:
            self.send_nowait(frame)
        self._direct = None
        if self._stage is Stage.OPEN:
            self._stage = Stage.CLOSING
        return None

    def _lose(self, *, cancel: bool = True) -> None:
        """The connection is gone. The endpoint learns it by SessionClosed if it reads, by cancellation if not."""
        self._direct = None
        self._queue.clear()
        self._queued_bytes = 0
        if self._stage is not Stage.OVER:
            self._code = self._code or LOST
            self._stage = Stage.OVER
        if cancel:
            self._scope.cancel()

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

    async def run(self, endpoint: SessionEndpoint) -> None:
        """Serves the session to its very end. Raises nothing but Cancelled."""
        try:
            with self._scope:
                await self._serve(endpoint)
                self._end_handshake()
                self.close_nowait()
                while self._stage is Stage.CLOSING:
                    await self._read()
                while self._draining:
                    await self._drain_ended()
            if self._stage is Stage.HANDSHAKE:  # the scope's deadline was the one for accepting
                self.reject_nowait(Response(status=503, headers=(("retry-after", "1"),)))
            await self._farewell()
        finally:
            self._stage = Stage.OVER
            self._direct = None
            if not self._accept_head:
                self._metrics.session_closed(self._code or LOST)
            if self._queued_bytes:
                self._link.reset()
            else:
                self._link.close()

    async def _serve(self, endpoint: SessionEndpoint) -> None:
        try:
            await endpoint(self)
        except* SessionClosed:
            pass
        except* Exception as group:
            self._metrics.error_contained()
            _log.error("session endpoint failed", exc_info=group)
            if self._stage is Stage.HANDSHAKE:
                self.reject_nowait(Response(status=500))
            self.close_nowait(INTERNAL_ERROR)

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
