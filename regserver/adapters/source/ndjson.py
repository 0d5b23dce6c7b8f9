"""Lines of JSON out of a stream of bytes, for every source that speaks them; bounded in size and in silence.

A line ends with a line feed; the last one may go without. Blank lines mean nothing, so that a source can show that it
lives. A line past the bound ends the reading: where the next one would begin is not worth waiting for.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import trio

from regserver.adapters.source.line_parser import MAX_LINE_BYTES, parse_line, too_long
from regserver.domain.source_line import DoneLine, SourceLine
from regserver.ports.source import SourceFault


class LineSplitter:
    """Bytes in pieces of any size, lines out. `overlong` once the bound was passed; then it takes no more."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self.overlong = False

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes, without their ends."""
        if self.overlong:
            return []
        self._rest += piece
        lines: list[bytes] = []
        if b"\n" in piece:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
        self.overlong = len(self._rest) > self._limit
        return lines

    def rest(self) -> bytes:
        """What came behind the last line feed."""
        return bytes(self._rest)


class LineReader(AsyncIterator[SourceLine]):
    """Reads `receive`, which gives b"" at the end, for as long as it does not keep silent for `silence_seconds`.

    Raises SourceFault, also whatever `receive` raises of that.
    """

    def __init__(self, receive: Callable[[], Awaitable[bytes]], silence_seconds: float) -> None:
        self._receive = receive
        self._silence = silence_seconds
        self._splitter = LineSplitter()
        self._ready: deque[SourceLine] = deque()
        self._ended = False
        self.done = False  # the source has said everything

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
                piece = await self._receive()
        except trio.TooSlowError:
            raise SourceFault(f"nothing came for {self._silence:g} s") from None
        lines = self._splitter.feed(piece)
        if not piece:
            self._ended = True
            lines = [self._splitter.rest()]
        self._ready.extend(parse_line(line) for line in lines if line.strip())
        if self._splitter.overlong:
            self._ended = True
            self._ready.append(too_long(self._splitter.rest()))
