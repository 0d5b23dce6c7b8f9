"""The states of a WebSocket session, and the events of each.

    HANDSHAKE ──ACCEPT──▶ OPEN ──CLOSE──▶ CLOSING ──PEER_CLOSED──▶ OVER
        └───────────────REJECT─────────────────────────────────────▲
    HANDSHAKE, OPEN, CLOSING ──LOST────────────────────────────────┘

A session begins with the client's request. The endpoint answers it once: it accepts or rejects. Frames that it sends before
wait for the 101. In OPEN either side may close. The server's Close frame is its last, so in CLOSING nothing is sent, and
messages of the peer are dropped. A Close of the peer, or a frame that breaks the protocol, causes CLOSE with the same code
and then PEER_CLOSED, so it leads from OPEN by CLOSING to OVER. A connection that is lost or reset ends every state at once.

An event without an entry changes nothing. It is no error: the peer, the endpoint and other users of the session act
independently, and an event of one may come after the session was closed by another.
"""

import enum
from typing import Final


class SessionState(enum.IntEnum):
    """The state of a session."""

    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    OVER = 3


class SessionEvent(enum.IntEnum):
    """What can happen to a session."""

    ACCEPT = 0  # the endpoint accepts the client's request
    REJECT = 1  # the endpoint answers it with an ordinary response, or not in time
    SEND = 2  # a frame is to be sent
    MESSAGE = 3  # a whole message of the peer has come
    CLOSE = 4  # a Close frame is queued
    PEER_CLOSED = 5  # the peer's Close frame has come, or a frame that breaks the protocol
    LOST = 6  # the connection is gone


_State, _Event = SessionState, SessionEvent

TRANSITIONS: Final[dict[SessionState, dict[SessionEvent, SessionState]]] = {
    _State.HANDSHAKE: {
        _Event.ACCEPT: _State.OPEN,
        _Event.REJECT: _State.OVER,
        _Event.SEND: _State.HANDSHAKE,
        _Event.LOST: _State.OVER,
    },
    _State.OPEN: {
        _Event.SEND: _State.OPEN,
        _Event.MESSAGE: _State.OPEN,
        _Event.CLOSE: _State.CLOSING,
        _Event.LOST: _State.OVER,
    },
    _State.CLOSING: {
        _Event.PEER_CLOSED: _State.OVER,
        _Event.LOST: _State.OVER,
    },
    _State.OVER: {},
}
