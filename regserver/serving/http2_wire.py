"""The sending side of an HTTP/2 connection: what tasks have to send leaves whole, and in turn.

h2 keeps the states of connection and streams, and makes frames. A task that sends takes the lock, lets h2 make its frames,
and writes them. So at most one piece of each stream waits here, and streams take turns. A write that is begun is finished or
ends the connection, since the next frame cannot begin in the middle of one.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import h2.settings
import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from regserver.serving.client_stream import LOST, ClientStream
from regserver.serving.http2_meter import FrameMeter
from regserver.serving.limit import FrontLimits

T = TypeVar("T")
HeadFields = Sequence[tuple[bytes, bytes]]

_PART_BYTES: Final = 16 * 1024  # of data in one turn
_WINDOW_BYTES: Final = 1024 * 1024  # of the connection; each stream has the 64 KiB of RFC 9113, 6.9.2


class _Protocol(H2Connection):
    MAX_CLOSED_STREAMS = (
        1024  # remembered, so that late frames end a stream and not the connection; 65,536 by default
    )


def open_protocol(limits: FrontLimits) -> H2Connection:
    """The states of a new connection, with the server's settings in its buffer."""
    http = _Protocol(H2Configuration(client_side=False, header_encoding=None))
    codes = h2.settings.SettingCodes
    http.local_settings = h2.settings.Settings(
        client=False,
        initial_values={
            codes.MAX_CONCURRENT_STREAMS: limits.http2_streams,
            codes.MAX_HEADER_LIST_SIZE: 2 * limits.head_bytes,
            codes.ENABLE_CONNECT_PROTOCOL: 1,
        },
    )
    # Twice the bound, so that a head just above it gets its 431; beyond, h2 ends the connection.
    http.decoder.max_header_list_size = 2 * limits.head_bytes
    http.initiate_connection()
    http.increment_flow_control_window(_WINDOW_BYTES)
    return http


class Http2Wire:
    """One connection's frames to its peer."""

    def __init__(self, stream: ClientStream, meter: FrameMeter, limits: FrontLimits) -> None:
        self.http = open_protocol(limits)
        self._stream = stream
        self._meter = meter
        self._turn = trio.Lock()
        self._unrestored = 0

    async def flush(self) -> None:
        """Writes what h2 has to send. Raises LOST."""
        await self._send(lambda: None)

    async def send_head(self, number: int, fields: HeadFields, *, is_last: bool = False) -> None:
        """Sends a head. Raises LOST, also when the stream has ended."""
        await self._send(self.http.send_headers, number, fields, is_last)

    async def send_data(self, number: int, data: memoryview, *, is_last: bool) -> int:
        """Sends as much as one frame and the peer's window take; returns the number of bytes. Raises LOST."""
        return await self._send(self._put, number, data, is_last)

    async def end(self, number: int) -> None:
        """Ends our side of a stream. Raises LOST."""
        await self._send(self.http.end_stream, number)

    async def reset(self, number: int, code: ErrorCodes) -> None:
        """Ends a stream. Raises LOST."""
        await self._send(self.http.reset_stream, number, code)

    async def close(self, code: ErrorCodes) -> None:
        """Ends the connection with GOAWAY. Raises LOST."""
        await self._send(self.http.close_connection, code)

    def room(self, number: int) -> int:
        """How many bytes of a stream the peer takes now, in one frame. Raises LOST when the stream has ended."""
        try:
            window = self.http.local_flow_control_window(number)
        except ProtocolError as error:
            raise trio.BrokenResourceError from error
        return max(0, min(window, self.http.max_outbound_frame_size, _PART_BYTES))

    def go_on(self, number: int) -> None:
        """Tells the client to send a body; the next flush sends it."""
        with contextlib.suppress(ProtocolError, KeyError):  # the stream was reset at once
            self.http.send_headers(number, [(b":status", b"100")])

    def refuse(self, number: int) -> None:
        """Refuses a stream that nobody has looked at; the next flush sends it."""
        with contextlib.suppress(ProtocolError, KeyError):
            self.http.reset_stream(number, ErrorCodes.REFUSED_STREAM)

    def restore(self, size: int) -> None:
        """Opens the connection's window again by bytes that have come; a stream's own bounds what it may send."""
        self._unrestored += size
        if self._unrestored >= _WINDOW_BYTES // 4:
            self.http.increment_flow_control_window(self._unrestored)
            self._unrestored = 0

    def restore_stream(self, number: int, size: int) -> None:
        """Opens a stream's window again."""
        with contextlib.suppress(ProtocolError):  # it has ended meanwhile
            self.http.increment_flow_control_window(size, number)

    def _put(self, number: int, data: memoryview, is_last: bool) -> int:
        taken = min(len(data), self.room(number))
        if taken:
            self.http.send_data(number, data[:taken], end_stream=is_last and taken == len(data))
            self._meter.sent(taken)
        return taken

    async def _send(self, act: Callable[..., T], *arguments: object) -> T:
        try:
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        try:
            result = act(*arguments)
            await self._write(self.http.data_to_send())
            return result
        except (ProtocolError, KeyError) as error:  # the stream, or the connection, has ended meanwhile
            raise trio.BrokenResourceError from error
        finally:
            self._turn.release()

    async def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            with trio.CancelScope(shield=True):  # bounded in time by the stream
                await self._stream.send_all(data)
        except LOST:
            self._stream.reset()  # ends the reading task, too
            raise
