"""Decoding the frames of a WebSocket client to whole messages, within a bound (RFC 6455, sections 5 and 7).

wsproto checks masks, lengths, fragments, close codes and UTF-8. It is created at the first frame that is no pong, since
most of many sockets never send anything else.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from wsproto.connection import SERVER, Connection, ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage

from regserver.endpoint import CloseCode

_PONG: Final = 0x8A
_MASKED: Final = 0x80
_MAX_CONTROL: Final = 125


class Received(msgspec.Struct, frozen=True):
    """One whole message."""

    message: str | bytes


class Pinged(msgspec.Struct, frozen=True):
    """A ping, to be answered with this payload."""

    payload: bytes


class PeerClosed(msgspec.Struct, frozen=True):
    """The peer's Close frame; CloseCode.NO_STATUS when it named no code."""

    code: int


class Violated(msgspec.Struct, frozen=True):
    """The peer broke the protocol; nothing follows. code: PROTOCOL_ERROR, INVALID_DATA or MESSAGE_TOO_BIG."""

    code: int


class Lost(msgspec.Struct, frozen=True):
    """The connection is gone. code: from the transport, else ABNORMAL."""

    code: int


Inbound = Received | Pinged | PeerClosed | Violated | Lost


class Decoder:
    """Decodes bytes to messages; does no I/O. Must not be fed after PeerClosed or Violated."""

    __slots__ = ("_connection", "_limit", "_parts", "_size")

    def __init__(self, message_bytes: int) -> None:
        self._limit = message_bytes
        self._connection: Connection | None = None
        self._parts: list[str | bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Inbound]:
        """The messages that these bytes complete. The iterator must be exhausted, unless the decoder is dropped."""
        if self._connection is None:
            if _is_pongs(data):
                return
            self._connection = Connection(SERVER)
        self._connection.receive_data(data)
        for event in self._connection.events():
            inbound = self._inbound(event, self._connection)
            if inbound is not None:
                yield inbound
                if isinstance(inbound, PeerClosed | Violated):
                    return

    def _inbound(self, event: Event, connection: Connection) -> Inbound | None:
        if isinstance(event, TextMessage | BytesMessage):
            return self._message(event)
        if isinstance(event, Ping):
            return Pinged(bytes(event.payload))
        if isinstance(event, CloseConnection):
            # wsproto reports a violation as a close too, but its state is then still OPEN.
            if connection.state is ConnectionState.OPEN:
                return Violated(int(event.code))
            return PeerClosed(int(event.code) if event.code is not None else CloseCode.NO_STATUS)
        return None  # a pong: receiving it has marked the peer as alive

    def _message(self, event: TextMessage | BytesMessage) -> Inbound | None:
        data = event.data if isinstance(event.data, str) else bytes(event.data)
        self._size += len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode())
        if self._size > self._limit:
            self._parts.clear()
            return Violated(CloseCode.MESSAGE_TOO_BIG)
        if event.message_finished and not self._parts:
            self._size = 0
            return Received(data)
        # The first part has the type. Empty ones after it are dropped, or a peer could fill the memory with them.
        if data or not self._parts:
            self._parts.append(data)
        if not event.message_finished:
            return None
        return self._joined()

    def _joined(self) -> Received:
        parts = self._parts
        self._parts = []
        self._size = 0
        if isinstance(parts[0], str):
            return Received("".join(part for part in parts if isinstance(part, str)))
        return Received(b"".join(part for part in parts if isinstance(part, bytes)))


def _is_pongs(data: bytes) -> bool:
    """Whether the data consists of whole masked pongs."""
    at = 0
    size = len(data)
    while at + 6 <= size:
        length = data[at + 1] - _MASKED
        if data[at] != _PONG or not 0 <= length <= _MAX_CONTROL:
            return False
        at += 6 + length
    return at == size
