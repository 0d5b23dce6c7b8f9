"""The body of an HTTP/1.1 request: counted or chunked, never longer than its bound (RFC 9112, sections 6 and 7).

A decoder is fed with what the socket gives and says when it has enough; it does no I/O. Chunks are undone here, so
that nothing behind the front door ever parses them.
"""

import re
from typing import Final

from regserver.serving.head import BadHead

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*")
_MAX_LINE_BYTES: Final = 256
_MAX_TRAILERS: Final = 32


class Chunks:
    """Undoes the chunked coding.

    body: what came so far. oversized: it passed the bound; nothing more is kept and the rest is not looked at.
    done: the last chunk and the trailers were there; `rest` is what followed them.
    """

    def __init__(self, limit: int) -> None:
        self.body = bytearray()
        self.oversized = False
        self.done = False
        self._limit = limit
        self._buffer = bytearray()
        self._missing = 0  # of the chunk's data and its CRLF
        self._last = False
        self._trailers = 0

    @property
    def rest(self) -> bytes:
        """What followed the body."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> None:
        """Takes what the socket gave. Raises BadHead (400) for anything that is not the coding to the letter."""
        self._buffer += data
        while not (self.done or self.oversized):
            if not (self._data() if self._missing else self._line()):
                return

    def _data(self) -> bool:
        if len(self._buffer) < self._missing:
            return False
        size = self._missing - 2
        if self._buffer[size : size + 2] != b"\r\n":
            raise BadHead(400, "chunk without its end")
        self.body += self._buffer[:size]
        del self._buffer[: self._missing]
        self._missing = 0
        return True

    def _line(self) -> bool:
        end = self._buffer.find(b"\n", 0, _MAX_LINE_BYTES)
        if end < 0:
            if len(self._buffer) >= _MAX_LINE_BYTES:
                raise BadHead(400, "chunk line too long")
            return False
        line = bytes(self._buffer[: end - 1])
        if end == 0 or self._buffer[end - 1] != 13:
            raise BadHead(400, "bare LF")
        del self._buffer[: end + 1]
        if self._last:
            self._trailer(line)
        else:
            self._size(line)
        return True

    def _size(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise BadHead(400, "bad chunk size")
        size = int(match[1], 16)
        if size == 0:
            self._last = True
        elif len(self.body) + size > self._limit:
            self.oversized = True
            self.body.clear()
        else:
            self._missing = size + 2

    def _trailer(self, line: bytes) -> None:
        """Trailers are dropped, as RFC 9110, 6.5.1 advises for fields nobody asked for."""
        if not line:
            self.done = True
            return
        self._trailers += 1
        if self._trailers > _MAX_TRAILERS or _TRAILER.fullmatch(line) is None:
            raise BadHead(400, "bad trailer")
