"""The chunked body of an HTTP/1.1 request, within a bound (RFC 9112, section 7).

The decoder does no I/O: it is fed with bytes and tells when the body is complete. No other part parses chunks.
"""

import re
from typing import Final

from regserver.serving.head import BadHead

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e\x80-\xff]*|[ \t]*)")
_FRAMING = (b"content-length", b"host", b"transfer-encoding")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*")
_MAX_LINE_BYTES: Final = 256
_MAX_TRAILERS: Final = 32


class Chunks:
    """Decodes the chunked coding.

    body: the decoded part. oversized: the body is over the bound; it is dropped, and the rest is not decoded.
    done: the last chunk and the trailers have come. rest: the bytes after them.
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
        """Decodes further bytes. Raises BadHead (400) for any deviation from the coding."""
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
        """Drops a trailer, as RFC 9110, 6.5.1 advises for unknown ones. Fields of the framing may not be trailers."""
        if not line:
            self.done = True
            return
        self._trailers += 1
        name = line.partition(b":")[0].lower()
        if self._trailers > _MAX_TRAILERS or _TRAILER.fullmatch(line) is None or name in _FRAMING:
            raise BadHead(400, "bad trailer")
