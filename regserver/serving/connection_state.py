"""The states of a connection that speaks HTTP/1.1, and how long it may stay in each.

    FRESH ──PART──▶ HEAD ──PART_OF_BODY──▶ BODY ──REQUEST──▶ ANSWERING ──ANSWERED──▶ IDLE ──PART──▶ HEAD …
                      └───────────────────────────REQUEST───────▲
    FRESH, HEAD ──SWITCHED──▶ SWITCHED                  HTTP/2: not ours to time any more
    all that wait for the client ──REFUSED──▶ ANSWERING  then the connection ends

A state is left when the client has sent what it waits for, so its time is the client's time. It begins when the state is
entered, and no further byte extends it: a client that sends one byte a second gets no longer than one that sends none.
Whole requests pass HEAD and BODY by. ANSWERING has no time of its own: the endpoint bounds itself, and each write that
makes no progress is bounded by write_seconds. In HEAD and BODY a client whose time is up is told so; in FRESH and IDLE it
has asked for nothing, and the connection closes without a word.

An event that a state has no entry for is a bug: the connection's own task is the only source of events.
"""

import enum
from typing import Final

from regserver.serving.limit import FrontLimits

NEVER: Final = float("inf")


class ConnectionState(enum.IntEnum):
    """What a connection waits for, or does."""

    FRESH = 0  # connected; nothing has come
    IDLE = 1  # a request was answered; nothing of the next has come
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
    REFUSED = 4  # what has come is no request, or not in time
    SWITCHED = 5  # the client speaks HTTP/2


_State, _Event = ConnectionState, ConnectionEvent

_BEFORE_A_REQUEST: Final = {
    _Event.PART: _State.HEAD,
    _Event.PART_OF_BODY: _State.BODY,
    _Event.REQUEST: _State.ANSWERING,
    _Event.REFUSED: _State.ANSWERING,
}
TRANSITIONS: Final[dict[ConnectionState, dict[ConnectionEvent, ConnectionState]]] = {
    _State.FRESH: {**_BEFORE_A_REQUEST, _Event.SWITCHED: _State.SWITCHED},
    _State.IDLE: _BEFORE_A_REQUEST,
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
"""Where a connection may be closed without a word: its client has asked for nothing."""


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
