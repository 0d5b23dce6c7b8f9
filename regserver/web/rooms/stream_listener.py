"""One stream of Server-Sent Events, between the broker that fills it and the response that empties it."""

import trio

from regserver import errors
from regserver.domain.account import AccountId
from regserver.domain.outcome import Refusal
from regserver.domain.secret import SecretHash
from regserver.endpoint import Frame
from regserver.ports.subscriber import FrameKind
from regserver.service.identity_service import Session
from regserver.web.http.event_stream import HEARTBEAT, HEARTBEAT_SECONDS
from regserver.web.rooms.listen_wire import StreamWish


class StreamListener:
    """To the broker a subscriber and its receiver, to the response a queue of chunks.

    most_bytes: may wait for the client; past it the stream ends, and the client comes again with its last id.
    """

    kind: FrameKind = "stream"

    def __init__(self, session: Session, most_bytes: int, wish: StreamWish) -> None:
        self.account: AccountId = session.account
        self.token: SecretHash = session.token
        self.expires_at = session.expires_at
        self.echo = wish.echo
        self.edits = wish.edits
        self.presence = wish.presence
        self.seen = wish.seen
        self._most_bytes = most_bytes
        self._chunks: list[bytes] = []
        self._bytes = 0
        self._over = False
        self._more = trio.Event()

    @property
    def receiver(self) -> "StreamListener":
        """Itself."""
        return self

    # --- as a receiver
    def direct(self, frame: Frame) -> int:
        """Never writes: the response's task does."""
        raise BlockingIOError

    def send_nowait(self, frame: Frame) -> bool:
        """Queues a chunk."""
        if not self._over and self._bytes + len(frame) > self._most_bytes:
            self.stop_nowait()
        if not self._over:
            self._chunks.append(frame)
            self._bytes += len(frame)
            self._more.set()
        return not self._over

    def send_rest_nowait(self, frame: Frame, taken: int) -> bool:
        """Queues the rest of a chunk."""
        return self.send_nowait(Frame(frame[taken:]))

    # --- its end
    def end_nowait(self, reason: Refusal | None) -> None:
        """Ends the stream. reason: told to the client before, unless None."""
        if reason is not None and not self._over:
            self._chunks.append(b"event: end\ndata: %b\n\n" % errors.name(reason).encode())
        self.stop_nowait()

    def cut_nowait(self) -> None:
        """Ends the stream. The client comes again with its last id, and reads recovered: false where that is due."""
        self.stop_nowait()

    def stop_nowait(self) -> None:
        """Ends the stream behind what waits."""
        self._over = True
        self._more.set()

    # --- as a queue
    async def next(self) -> bytes | None:
        """All that waits, or a heartbeat; None at the end."""
        if not self._chunks and not self._over:
            with trio.move_on_after(HEARTBEAT_SECONDS):
                await self._more.wait()
        if self._chunks:
            joined = b"".join(self._chunks)
            self._chunks.clear()
            self._bytes = 0
        else:
            joined = HEARTBEAT
        if not self._over:
            self._more = trio.Event()
        elif joined is HEARTBEAT:
            return None
        return joined
