"""The states of a WebSocket session, and what may happen in each. Everything that depends on the state asks this table.

    HANDSHAKE ──ACCEPT──▶ OPEN ──CLOSE──▶ CLOSING ──PEER_CLOSED──▶ OVER
        └───────────────REJECT─────────────────────────────────────▲
    any of them ──LOST─────────────────────────────────────────────┘

A session begins with the client's request. The endpoint answers it once: it accepts or rejects. What the endpoint sends
before that waits for the 101. From OPEN on either side may close. Our Close frame is our last, so nothing is sent in
CLOSING, and what the peer still says is not passed on. The peer's Close, or a frame that breaks the protocol, is
answered before it counts: in OPEN the session closes with the same code first, and so comes by CLOSING to OVER. A lost
connection, or one that the server gives up, ends every state at once.

An event that a state has no entry for changes nothing there. That is no error: the two sides, the endpoint and whoever
else holds the session act independently, and each of them may be late.
"""

import enum
from typing import Final


class SessionState(enum.IntEnum):
    """Where a session is in its life."""

    HANDSHAKE = 0
    OPEN = 1
    CLOSING = 2
    OVER = 3


class SessionEvent(enum.IntEnum):
    """What can happen to a session."""

    ACCEPT = 0  # the endpoint takes the client's request
    REJECT = 1  # the endpoint answers it with an ordinary response, or nobody answers it in time
    SEND = 2  # somebody has a frame for the peer
    MESSAGE = 3  # a whole message of the peer is there
    CLOSE = 4  # our Close frame is on its way
    PEER_CLOSED = 5  # the peer's Close frame is there, or the last that can be understood of the peer
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
