"""An observer's socket: what there is of the history leaves in one write, and the next piece when the peer has taken that.

    more_nowait ──all taken──► waits for more ──history complete──► Close
        └──the socket is full──► catch_up, a task of the session ──nothing taken for STUCK_SECONDS──► Close 1013

So an idle observer has no task and no scope beside its session's, and a slow one holds a piece, however long the history.
"""

import trio

from regserver.endpoint import CloseCode, Frame, SocketSession
from regserver.service.live_history import LiveHistory, Shown
from regserver.serving import text_frame
from regserver.web.live import wire

STUCK_SECONDS = 10.0
PIECE_BYTES = 3 * 1024
"""Below the least bound that a socket's queue may have."""


class SocketObserver:
    """Shows a job's history to one session. eta: with the time left in each event."""

    __slots__ = ("_eta", "_is_behind", "_job", "_seen", "_session")

    def __init__(self, job: LiveHistory, session: SocketSession, *, eta: bool) -> None:
        self._job = job
        self._session = session
        self._eta = eta
        self._seen = 0
        self._is_behind = False

    def more_nowait(self) -> None:
        """Sends what there is if the socket takes it; else leaves that to a task of the session."""
        if self._is_behind:
            return
        if self._send_nowait() and self._has_more:
            self._is_behind = True
            self._session.start_soon(self._catch_up)

    @property
    def _has_more(self) -> bool:
        return self._seen < len(self._job.history)

    def _send_nowait(self) -> bool:
        """Sends the next piece if the last is taken, and Close behind the last of all. False when the session is over."""
        if self._has_more and not self._session.unsent_bytes and not self._session.send_nowait(self._piece()):
            return False
        if self._job.over and not self._has_more:
            code = CloseCode.GOING_AWAY if self._job.interrupted else CloseCode.NORMAL
            self._session.close_nowait(code)
        return True

    async def _catch_up(self) -> None:
        while self._has_more:
            with trio.move_on_after(STUCK_SECONDS) as patience:
                await self._session.drained()
                await trio.lowlevel.checkpoint()
            if patience.cancelled_caught:
                return self._session.close_nowait(CloseCode.TRY_AGAIN_LATER, "too slow")
            if self._session.unsent_bytes or not self._send_nowait():
                return None  # it is over, or closing
        self._is_behind = False
        return None

    def _piece(self) -> Frame:
        """The next events as frames in one piece, of at most PIECE_BYTES unless it is one frame."""
        joined, size = list[Frame](), 0
        while self._has_more:
            frame = text_frame(encode_event(self._job, self._job.history[self._seen], eta=self._eta))
            if joined and size + len(frame) > PIECE_BYTES:
                break
            joined.append(frame)
            size += len(frame)
            self._seen += 1
        return Frame(b"".join(joined))


def encode_event(job: LiveHistory, shown: Shown, *, eta: bool = False) -> bytes:
    """One event's JSON, with exactly the seed's keys, and the time left where that was asked for."""
    text = wire.encode_frame(shown.event, job.language)
    if not eta:
        return text
    left = job.eta_seconds(shown)
    return b'%b,"etaSeconds":%b}' % (text[:-1], b"null" if left is None else b"%d" % left)
