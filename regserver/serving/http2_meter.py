"""The frames of an HTTP/2 client, counted before anybody reads them.

A frame takes a client nine bytes, and the server a walk through the states of connection and stream and often an answer
(CVE-2019-9511 to -9518, CVE-2023-44487). So frames that carry no part of a request are counted by kind. Each kind has a
bucket: _BURST frames at once and _PER_SECOND on average, far more than a browser or a library sends. A client earns further
ones by what it is sent: it acknowledges data with WINDOW_UPDATE, and cancels some of its requests.
"""

from collections.abc import Callable
from typing import Final

import trio

_BURST: Final = 200
_PER_SECOND: Final = 10.0
_MOST_EARNED: Final = 10_000

_DATA, _HEADERS, _RST_STREAM, _WINDOW_UPDATE, _CONTINUATION = 0, 1, 3, 8, 9
_OTHER: Final = -1  # kinds that no RFC names share a bucket, or there would be 200 of them
_LAST_NAMED: Final = 9
_END_STREAM, _END_HEADERS = 1, 4
_HEAD_BYTES: Final = 9
_MOST_BYTES: Final = 16 * 1024
_SMALL_BYTES: Final = 16  # of data: costs as much as an empty frame
_SMALL_PER_FRAME: Final = 0.1  # of a bucket: a WebSocket's messages and pongs are small, too
_BYTES_PER_UPDATE: Final = 1024  # no library acknowledges less at a time


class Flood(Exception):
    """The client sends more frames of a kind than it may."""


class FrameTooLong(Exception):
    """A frame is longer than RFC 9113, 4.2 allows without asking. h2 would keep all of it before it says so."""


class FrameMeter:
    """Follows the frames in a client's bytes. The caller feeds all of them, in pieces of any length."""

    __slots__ = ("_clock", "_levels", "_part", "_skip", "has_open_head")

    def __init__(self, preface_bytes: int, clock: Callable[[], float] = trio.current_time) -> None:
        """preface_bytes: how many bytes precede the first frame."""
        self._clock = clock
        self._levels: dict[int, tuple[float, float]] = {}
        self._part = b""  # the beginning of a frame's own head
        self._skip = preface_bytes
        self.has_open_head = False  # a head of a request has begun and not ended

    @property
    def is_midway(self) -> bool:
        """Whether a frame, or a head of several frames, has come in part."""
        return self.has_open_head or self._skip > 0 or self._part != b""

    def feed(self, data: bytes) -> None:
        """Counts the frames that begin in these bytes. Raises Flood, FrameTooLong."""
        data, at = self._part + data, self._skip
        while at + _HEAD_BYTES <= len(data):
            length = int.from_bytes(data[at : at + 3], "big")
            if length > _MOST_BYTES:
                raise FrameTooLong
            self._note(data[at + 3], data[at + 4], length)
            at += _HEAD_BYTES + length
        self._part = data[at:]
        self._skip = max(0, at - len(data))

    def _note(self, kind: int, flags: int, length: int) -> None:
        if kind == _DATA:
            if length < _SMALL_BYTES and not flags & _END_STREAM:
                self._take(kind, 1.0 if not length else _SMALL_PER_FRAME)
            return
        if kind in (_HEADERS, _CONTINUATION):
            self.has_open_head = not flags & _END_HEADERS
        if kind != _HEADERS:
            self._take(kind if kind <= _LAST_NAMED else _OTHER, 1.0)

    def _take(self, kind: int, cost: float) -> None:
        now = self._clock()
        level, since = self._levels.get(kind, (0.0, now))
        if level > 0:
            level = max(0.0, level - (now - since) * _PER_SECOND)
        level += cost
        self._levels[kind] = (level, now)
        if level > _BURST:
            raise Flood(f"HTTP/2 frames of kind {kind}")

    def _earn(self, kind: int, frames: float) -> None:
        level, since = self._levels.get(kind, (0.0, self._clock()))
        self._levels[kind] = (max(-_MOST_EARNED, level - frames), since)

    def sent(self, size: int) -> None:
        """The client was sent so many bytes of data, which it may acknowledge."""
        self._earn(_WINDOW_UPDATE, size / _BYTES_PER_UPDATE)

    def answered(self) -> None:
        """A request was answered whole: for each the client may cancel another."""
        self._earn(_RST_STREAM, 1.0)
