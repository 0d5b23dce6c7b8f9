"""The states of an HTTP/1.1 connection, and how long it may stay in each.

    FRESH ──PART──▶ HEAD ──PART_OF_BODY──▶ BODY ──REQUEST──▶ ANSWERING ──ANSWERED──▶ IDLE ──PART──▶ HEAD …
                      └───────────────────────────REQUEST───────▲
    FRESH, HEAD ──SWITCHED──▶ SWITCHED                  HTTP/2: Http2Connection keeps the time
    FRESH, IDLE, HEAD, BODY ──REFUSED──▶ ANSWERING       then the connection ends
    IDLE ──BEHIND──▶ ANSWERING                           something of the answer is left, see response_batch.py

In FRESH, IDLE, HEAD and BODY the connection waits for the client. The time of a state begins when it is entered, and no
further byte extends it: a client that sends one byte a second gets no more time than one that sends none. A request that
comes in one piece skips HEAD and BODY. ANSWERING has no deadline: the endpoint bounds itself, and write_seconds bounds each
write without progress. After a deadline in HEAD or BODY the client gets 408. In FRESH and IDLE it has requested nothing, and
the connection closes without an answer.

An event without an entry is a bug, since the connection's own task is the only source of events.
"""

import enum
from typing import Final

from regserver.serving.limit import FrontLimits

NEVER: Final = float("inf")


class ConnectionState(enum.IntEnum):
    """The state of a connection."""

    FRESH = 0  # connected; no byte has come
    IDLE = 1  # a request was answered; no byte of the next has come
    HEAD = 2  # a part of a head has come
    BODY = 3  # a head and a part of its body have come
    ANSWERING = 4
    SWITCHED = 5


class ConnectionEvent(enum.IntEnum):
    """What can happen to a connection."""

    PART = 0  # bytes of a head have come, and not all
    PART_OF_BODY = 1  # a head is whole, its body is not
    REQUEST = 2  # a request is whole
    ANSWERED = 3  # it was answered, and the connection goes on
    REFUSED = 4  # the request is malformed or late
    SWITCHED = 5  # the client speaks HTTP/2
    BEHIND = 6  # the socket has not taken the whole answer


_State, _Event = ConnectionState, ConnectionEvent

_BEFORE_A_REQUEST: Final = {
    _Event.PART: _State.HEAD,
    _Event.PART_OF_BODY: _State.BODY,
    _Event.REQUEST: _State.ANSWERING,
    _Event.REFUSED: _State.ANSWERING,
}
TRANSITIONS: Final[dict[ConnectionState, dict[ConnectionEvent, ConnectionState]]] = {
    _State.FRESH: {**_BEFORE_A_REQUEST, _Event.SWITCHED: _State.SWITCHED},
    _State.IDLE: {**_BEFORE_A_REQUEST, _Event.BEHIND: _State.ANSWERING},
    _State.HEAD: {
        _Event.PART_OF_BODY: _State.BODY,
        _Event.REQUEST: _State.ANSWERING,
        _Event.REFUSED: _State.ANSWERING,
        _Event.SWITCHED: _State.SWITCHED,
    },
    _State.BODY: {_Event.REQUEST: _State.ANSWERING, _Event.REFUSED: _State.ANSWERING},
    _State.ANSWERING: {_Event.ANSWERED: _State.IDLE},
    _State.SWITCHED: {},
}

WITHOUT_A_REQUEST: Final = (ConnectionState.FRESH, ConnectionState.IDLE)
"""States where a connection may be closed without an answer: its client has requested nothing."""


def timeouts(limits: FrontLimits) -> dict[ConnectionState, float]:
    """How many seconds a connection may stay in each state."""
    return {
        ConnectionState.FRESH: limits.head_seconds,
        ConnectionState.IDLE: limits.idle_seconds,
        ConnectionState.HEAD: limits.head_seconds,
        ConnectionState.BODY: limits.body_seconds,
        ConnectionState.ANSWERING: NEVER,
        ConnectionState.SWITCHED: NEVER,
    }
