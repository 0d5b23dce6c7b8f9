"""Lines of JSON from a stream of bytes, bounded in size and in silence.

A line ends with a line feed, which the last line may lack. Blank lines are skipped; a source may send them to break the
silence. A line past the size bound ends the reading.
"""

from codecs import BOM_UTF8
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import trio

from regserver.adapters.source.line_parser import MAX_LINE_BYTES, parse_line, too_long
from regserver.domain.source_line import DoneLine, SourceLine
from regserver.ports.source import SourceFault


class LineSplitter:
    """Splits chunks of bytes into lines; a byte order mark before the first is dropped. overlong: a line has passed the bound, and further bytes are ignored."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._begun = False
        self.overlong = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without line feeds."""
        if self.overlong:
            return []
        self._rest += chunk
        if not self._begun and len(self._rest) >= len(BOM_UTF8):
            self._begun = True
            self._rest = self._rest.removeprefix(BOM_UTF8)
        lines: list[bytes] = []
        if b"\n" in self._rest:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
        self.overlong = len(self._rest) > self._limit
        return lines

    def rest(self) -> bytes:
        """The bytes after the last line feed."""
        return bytes(self._rest)


class LineReader(AsyncIterator[SourceLine]):
    """The lines of a stream. receive: the next chunk, b"" at the end. silence_seconds: the longest wait for a chunk.

    Raises SourceFault, as `receive` may do.
    """

    def __init__(self, receive: Callable[[], Awaitable[bytes]], silence_seconds: float) -> None:
        self._receive = receive
        self._silence = silence_seconds
        self._splitter = LineSplitter()
        self._ready: deque[SourceLine] = deque()
        self._ended = False
        self.done = False  # the line that ends a registration has been read

    async def __anext__(self) -> SourceLine:
        while not self._ready:
            if self._ended:
                raise StopAsyncIteration
            await self._read()
        line = self._ready.popleft()
        self.done = isinstance(line, DoneLine)
        return line

    async def _read(self) -> None:
        try:
            with trio.fail_after(self._silence):
                chunk = await self._receive()
        except trio.TooSlowError:
            raise SourceFault(f"nothing came for {self._silence:g} s") from None
        lines = self._splitter.feed(chunk)
        if not chunk:
            self._ended = True
            lines = [self._splitter.rest()]
        self._ready.extend(parse_line(line) for line in lines if line.strip())
        if self._splitter.overlong:
            self._ended = True
            self._ready.append(too_long(self._splitter.rest()))
