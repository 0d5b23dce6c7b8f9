"""The writing half of a session: straight to the socket while it takes it, else a bounded queue and a drain task."""

import enum
import logging
from collections.abc import Callable

import trio

from regserver.endpoint import Frame
from regserver.serving.broadcast import not_direct
from regserver.serving.frame import text_frame
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, LinkLost
from regserver.serving.metric import FrontMetrics

_log = logging.getLogger(__name__)

_GATHER = 64  # frames per write of the drain task; well below IOV_MAX
_JOIN_BYTES = 16 * 1024  # what the drain task of a TLS session joins: one record


class Stage(enum.IntEnum):
    """Where a session is in its life; see session.py."""

    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    OVER = 3


class Outbound:
    """Sends frames. `direct` is the socket's own send while that is open and nothing waits, else `not_direct`."""

    __slots__ = (
        "_drained",
        "_draining",
        "_limits",
        "_link",
        "_metrics",
        "_queue",
        "_queued_bytes",
        "_spawn",
        "_split",
        "_stage",
        "direct",
    )

    def __init__(
        self, link: Link, limits: FrontLimits, metrics: FrontMetrics, spawn: Callable[..., None]
    ) -> None:
        """spawn: starts a drain task."""
        self._link = link
        self._limits = limits
        self._metrics = metrics
        self._spawn = spawn
        self._stage = Stage.HANDSHAKE
        self.direct: Callable[[Frame], int] = not_direct
        self._queue: list[bytes] = []  # a list, since an empty deque takes 600 bytes and most stay empty
        self._queued_bytes = 0
        self._split = False  # the first of the queue is the rest of a frame
        self._draining = False
        self._drained: trio.Event | None = None

    def _lose(self) -> None:
        """The connection is gone."""
        raise NotImplementedError

    def _fall_behind(self) -> None:
        """The peer is too slow; what was queued is dropped already."""
        raise NotImplementedError

    def send_nowait(self, frame: Frame) -> bool:
        try:
            taken = self.direct(frame)
        except BlockingIOError:
            return self._enqueue(frame)
        except OSError:
            self._lose()
            return False
        return taken == len(frame) or self.send_rest_nowait(frame, taken)

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
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
                self._push(data)  # the rest of a frame that is half sent
            self._drop_queue()
            self._fall_behind()
            return False
        self._push(data)
        return True

    def _push(self, data: bytes) -> None:
        self.direct = not_direct
        self._queue.append(data)
        self._queued_bytes += len(data)
        if not self._draining and self._stage is not Stage.HANDSHAKE:
            self._draining = True
            self._spawn(self._drain)

    def _drop_queue(self) -> None:
        """Forgets what is queued, but for the rest of a frame that is half sent: otherwise the next would be payload."""
        kept = self._queue[0] if self._split and self._queue else b""
        self._queue.clear()
        self._queued_bytes = 0
        if kept:
            self._push(kept)

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
            self._write_directly(send)
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

    def _write_directly(self, send: Callable[[Frame], int] | None) -> None:
        """From here on frames go straight to the socket, unless that is closing, or cannot be written to so (TLS)."""
        if send is not None and self._stage is Stage.OPEN:
            self.direct = send

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
        if not self._queue:
            self._write_directly(self._link.send)

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
