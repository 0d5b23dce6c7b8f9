"""The methods of a session; session.py has its life, session_state.py its states.

Methods that other tasks may call end with `_nowait` and have no checkpoint. So no task sees the queue, the state and
`direct` in contradiction to each other.
"""

import logging
from collections.abc import Awaitable, Callable

import msgspec
import trio

from regserver.endpoint import CloseCode, Frame, Request, Response, SessionClosed
from regserver.serving.answer import refusal
from regserver.serving.broadcast import not_direct
from regserver.serving.client_stream import LOST
from regserver.serving.frame import close_frame, ping_frame, pong_frame, text_frame
from regserver.serving.handshake import without_fields
from regserver.serving.inbound import Lost, PeerClosed, Pinged, Received, Violated
from regserver.serving.limit import FrontLimits
from regserver.serving.metric import FrontMetrics
from regserver.serving.registry import Registry
from regserver.serving.send_queue import Rest, drop_all, take_off
from regserver.serving.session_state import TRANSITIONS, SessionEvent, SessionState
from regserver.serving.transport import Transport

_log = logging.getLogger(__name__)

_PING = ping_frame()
# Read from its class, a member takes a quarter of a microsecond (Python 3.11).
_HANDSHAKE, _OPEN, _CLOSING = SessionState.HANDSHAKE, SessionState.OPEN, SessionState.CLOSING
_ACCEPT, _MESSAGE = SessionEvent.ACCEPT, SessionEvent.MESSAGE


class SessionContext(msgspec.Struct, frozen=True):
    """The common parts of all sessions of a front door."""

    limits: FrontLimits
    metrics: FrontMetrics
    registry: Registry


class SessionCore:
    """The SocketSession of regserver.endpoint. Made and run by session.py.

    direct: the transport's send_nowait while the session is open and its queue empty, else `not_direct`.
    rejection: the response to the handshake instead of 101.
    unsent_bytes: queued or being written; bounded by queue_bytes.
    """

    __slots__ = (
        "__weakref__", "_accepted", "_alive", "_code", "_context", "_counted", "_drained", "_draining", "_inbox", "_nursery",
        "_queue", "_reading", "_request", "_state", "_transport", "direct", "rejection", "unsent_bytes",
    )  # fmt: skip

    def __init__(
        self, context: SessionContext, request: Request, transport: Transport, nursery: trio.Nursery
    ) -> None:
        """nursery: the session's own, with the deadline of the present state."""
        self._context = context
        self._request = request
        self._transport = transport
        self._nursery = nursery
        self._state: SessionState = _HANDSHAKE
        self._accepted = False
        self._code = 0
        self.rejection: Response | None = None
        self.direct: Callable[[Frame], int] = not_direct
        self._queue: list[bytes] = []  # no deque: an empty one takes 600 bytes, and most stay empty
        self.unsent_bytes = 0
        self._counted = 0  # of them, as held for the peer
        self._draining = False
        self._drained: trio.Event | None = None
        self._inbox: list[str | bytes] = []  # newest first
        self._alive = True
        self._reading = False
        nursery.cancel_scope.deadline = trio.current_time() + context.limits.accept_seconds

    def start_soon(self, task: Callable[[], Awaitable[None]]) -> None:
        """Starts a task in the session's nursery, which contains what it raises."""
        self._nursery.start_soon(self._contain, task)

    async def _contain(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except* Exception as group:
            self.fail_nowait(group)

    def _enter(self, event: SessionEvent) -> bool:
        """Whether the present state has this event; if so, enters the next state."""
        state = TRANSITIONS[self._state].get(event)
        if state is None:
            return False
        self._state = state
        return True

    @property
    def request(self) -> Request:
        """The upgrade request; once it is accepted, without header fields and query."""
        return self._request

    def fail_nowait(self, error: BaseException) -> None:
        """The endpoint has raised an unexpected exception: logs it and closes."""
        self._context.metrics.error_contained()
        _log.error("session endpoint failed", exc_info=error)
        # One of the two has an effect, depending on the state.
        self.reject_nowait(refusal(500, self._context.limits))
        self.close_nowait(CloseCode.INTERNAL_ERROR)

    def return_nowait(self) -> None:
        """The endpoint has returned: closes an open session."""
        if self._state is _HANDSHAKE:
            _log.error("session endpoint neither accepted nor rejected: %s", self._request.path)
            self.reject_nowait(refusal(500, self._context.limits))
        self.close_nowait()

    def leave_nowait(self) -> None:
        """The endpoint has ended or was cancelled: only queued frames are sent from here on."""
        # A handshake without an answer: its deadline has passed, or the server stops.
        self.reject_nowait(refusal(503, self._context.limits))
        self._enter(SessionEvent.LOST)
        self.direct = not_direct
        if self._accepted:
            self._context.metrics.session_closed(self._code or CloseCode.ABNORMAL)

    # The handshake.

    def accept_nowait(self) -> None:
        """Sends the 101 and the queued frames, and decodes bytes that came after the request."""
        if not self._enter(_ACCEPT):
            return
        self._accepted = True
        self._request = without_fields(self._request)
        self._nursery.cancel_scope.deadline = float("inf")
        self._context.metrics.session_opened()
        greeting = self._transport.accept()
        # Frames of this session may be queued already; the answer must precede them.
        self._queue.insert(0, greeting.answer)
        self.unsent_bytes += len(greeting.answer)
        self._flush_nowait()
        if greeting.early:
            self._take(greeting.early)

    def reject_nowait(self, response: Response) -> None:
        """Stores the response to the handshake, which run_session sends."""
        if self._enter(SessionEvent.REJECT):
            self.rejection = response
            self._code = CloseCode.ABNORMAL

    # Sending.

    def send_nowait(self, frame: Frame) -> bool:
        """Writes or queues the frame. False when the session is not open, or closes because its queue is full."""
        try:
            taken = self.direct(frame)
        except BlockingIOError:
            return self._enqueue(frame)
        except OSError:
            self._lose()
            return False
        return taken == len(frame) or self.send_rest_nowait(frame, taken)

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        """Queues the rest of a frame of which `taken` bytes were written."""
        return self._enqueue(Rest(memoryview(frame)[taken:]))

    def send_text_nowait(self, text: str | bytes) -> bool:
        """Sends a text message."""
        return self.send_nowait(text_frame(text))

    async def drained(self) -> None:
        """Waits until the queue is empty, or the session is no longer open."""
        while self._draining and self._state is _OPEN:
            if self._drained is None:
                self._drained = trio.Event()
            await self._drained.wait()

    def _enqueue(self, data: bytes) -> bool:
        if not self._enter(SessionEvent.SEND):
            return False
        within = self.unsent_bytes + len(data) <= self._context.limits.queue_bytes
        fits = within and self._transport.held.admits(len(data))
        if fits or isinstance(data, Rest):
            self._push(data)
        if not fits:
            drop_all(self._queue)
            self.unsent_bytes = sum(map(len, self._queue))
            self.close_nowait(CloseCode.TRY_AGAIN_LATER, "too slow")
        return fits

    def _push(self, data: bytes) -> None:
        # A direct write now would overtake this frame, so all frames are queued until the queue is empty.
        self.direct = not_direct
        self._queue.append(data)
        self.unsent_bytes += len(data)
        self.count_nowait()
        if self._accepted:
            self._start_drain()

    def count_nowait(self) -> None:
        """Counts the unsent bytes as held for the peer."""
        if self._counted != self.unsent_bytes:
            self._transport.held.add(self.unsent_bytes - self._counted)
            self._counted = self.unsent_bytes

    def _flush_nowait(self) -> None:
        """Writes as much of the queue as the transport takes; the drain task sends the rest."""
        send = self._transport.send_nowait
        try:
            while self._queue:
                taken = send(self._queue[0])
                take_off(self._queue, taken)
                self.unsent_bytes -= taken
        except BlockingIOError:
            self._start_drain()
        except OSError:
            self._lose()
        else:
            self._send_directly()

    def _send_directly(self) -> None:
        if self._state is _OPEN:
            self.direct = self._transport.send_nowait

    def _start_drain(self) -> None:
        if not self._draining:
            self._draining = True
            self._nursery.start_soon(self._drain)

    async def _drain(self) -> None:
        try:
            while self._queue:
                taken = await self._transport.send_queued(self._queue)
                # The queue may have been dropped meanwhile, with the count.
                self.unsent_bytes = max(0, self.unsent_bytes - taken)
                self.count_nowait()
        except LOST:
            self._lose()
        except Exception:
            self._context.metrics.error_contained()
            _log.exception("drain failed")
            self._lose()
        finally:
            self._draining = False
            if self._drained is not None:
                self._drained.set()
                self._drained = None
        # No checkpoint since the queue was found empty, so a direct write overtakes nothing.
        self._send_directly()

    # Reading.

    async def receive(self) -> str | bytes:
        """The next whole message. Raises SessionClosed."""
        while not self._inbox:
            if self._state is not _OPEN:
                raise SessionClosed(self._code)
            await self._read()
        return self._inbox.pop()

    async def wait_closed(self) -> int:
        """Reads and discards messages until the session is over; returns its close code."""
        while self._state is _OPEN or (self._state is _CLOSING and self._transport.awaits_close):
            await self._read()
            self._inbox.clear()
        return self._code

    async def _read(self) -> None:
        # Pongs are only noticed while the session reads, so the peer counts as alive at the beginning of a read.
        self._reading = self._alive = True
        try:
            received = await self._transport.receive()
        except LOST:
            return self._end(CloseCode.ABNORMAL)
        finally:
            self._reading = False
        self._alive = True
        return self._take(received)

    def _take(self, received: object) -> None:
        for inbound in self._transport.decode(received):
            match inbound:
                case Received(message):
                    if self._enter(_MESSAGE):
                        self._inbox.insert(0, message)
                case Pinged(payload):
                    self.send_nowait(pong_frame(payload))
                case PeerClosed(code) | Violated(code):
                    self.close_nowait(code)
                    self._enter(SessionEvent.PEER_CLOSED)
                case Lost(code):
                    self._end(code)

    def ping_nowait(self) -> None:
        """Sends a ping; see is_silent."""
        if self._state is _OPEN:
            self._alive = False
            self.send_nowait(_PING)

    @property
    def is_silent(self) -> bool:
        """Whether nothing came since the last ping, although the session reads."""
        return not self._alive and self._reading

    # Closing.

    def close_nowait(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Queues a Close frame, once; in the handshake, rejects with 503 or 403."""
        if self._state is _HANDSHAKE:
            passing = code in (CloseCode.GOING_AWAY, CloseCode.TRY_AGAIN_LATER)
            self.reject_nowait(refusal(503 if passing else 403, self._context.limits))
        elif self._enter(SessionEvent.CLOSE):
            self._code = code
            self._bound_end()
            self.direct = not_direct
            # Even beyond the queue's bound, since it is the last frame.
            frame = close_frame(code, reason)
            self._queue.append(frame)
            self.unsent_bytes += len(frame)
            if not self._draining:
                self._flush_nowait()

    def _lose(self) -> None:
        """The connection is gone: ends the session, and cancels the endpoint, which may not be reading."""
        self._end(CloseCode.ABNORMAL)
        self._nursery.cancel_scope.cancel()

    def _end(self, code: int) -> None:
        """Ends the session without cancelling: a reading endpoint gets SessionClosed."""
        self.direct = not_direct
        self._queue.clear()
        self.unsent_bytes = 0
        self.count_nowait()
        self._bound_end()
        if self._enter(SessionEvent.LOST):
            self._code = self._code or code

    def _bound_end(self) -> None:
        """Bounds the rest of the session to close_seconds, whatever the endpoint and the peer do."""
        scope = self._nursery.cancel_scope
        end = trio.current_time() + self._context.limits.close_seconds
        if end < scope.deadline:  # Trio takes its time even to set the same again
            scope.deadline = end

    def abort_nowait(self) -> None:
        """Ends the session at once, without a closing handshake."""
        self._lose()
        self._transport.close(reset=True)
