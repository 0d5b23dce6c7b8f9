"""Server frames (RFC 6455, section 5). They are not masked, so one frame serves all receivers."""

from collections.abc import Iterator
from typing import Final

from regserver.endpoint import CloseCode, Frame

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_FIN: Final = 0x80
_MAX_REASON_BYTES: Final = 123  # a control frame carries at most 125 bytes, two of them the code


def _frame(opcode: int, payload: bytes) -> Frame:
    size = len(payload)
    first = _FIN | opcode
    if size < 126:
        return Frame(bytes((first, size)) + payload)
    if size < 1 << 16:
        return Frame(bytes((first, 126)) + size.to_bytes(2, "big") + payload)
    return Frame(bytes((first, 127)) + size.to_bytes(8, "big") + payload)


def text_frame(payload: str | bytes) -> Frame:
    """One whole text message. Bytes must be valid UTF-8, which is not checked."""
    return _frame(TEXT, payload.encode() if isinstance(payload, str) else payload)


def binary_frame(payload: bytes) -> Frame:
    """One whole binary message."""
    return _frame(BINARY, payload)


def ping_frame(payload: bytes = b"") -> Frame:
    """A ping. payload: at most 125 bytes."""
    return _frame(PING, payload)


def pong_frame(payload: bytes) -> Frame:
    """The answer to a ping with this payload."""
    return _frame(PONG, payload)


def close_frame(code: int, reason: str = "") -> Frame:
    """A Close frame; an empty one for CloseCode.NO_STATUS. A long reason is cut at a character."""
    if code == CloseCode.NO_STATUS:
        return _frame(CLOSE, b"")
    text = reason.encode()
    if len(text) > _MAX_REASON_BYTES:
        text = text[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
    return _frame(CLOSE, code.to_bytes(2, "big") + text)


def split_frames(frames: bytes) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each of the joined frames, made here, for transports that make frames themselves."""
    at = 0
    while at < len(frames):
        first, length = frames[at], frames[at + 1]
        at += 2
        if length >= 126:
            extended = 2 if length == 126 else 8
            length = int.from_bytes(frames[at : at + extended], "big")
            at += extended
        yield first & 0x0F, frames[at : at + length]
        at += length


def split_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a Close frame's payload; CloseCode.NO_STATUS when it is empty."""
    if not payload:
        return CloseCode.NO_STATUS, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()
