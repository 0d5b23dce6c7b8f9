"""A response whose body is written as it comes, over HTTP/1.1 in chunks (RFC 9112, 7.1), so that its end is no accident.

Beside the writer a watcher reads. It learns that the client has gone, which ends the stream, and keeps what the client
sends meanwhile: that is its next request. A stream that fails is cut: the last chunk is missing, and the client can tell.
HTTP/1.0 knows no chunks; there the end of the connection ends the body, and a reset says that it was cut.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import trio

from regserver.endpoint import StreamResponse
from regserver.serving.answer import encode_stream_head
from regserver.serving.client_stream import LOST, ClientStream

_LAST_CHUNK = b"0\r\n\r\n"


class ResponseStream:
    """Sends one StreamResponse. received: what the client has sent meanwhile."""

    def __init__(self, stream: ClientStream, *, is_chunked: bool, room: int) -> None:
        """room: bytes to keep of what the client sends; what is more stays in the kernel until the stream's end."""
        self._stream = stream
        self._is_chunked = is_chunked
        self._room = room
        self.received = b""

    async def send(self, response: StreamResponse, method: str, *, close: bool) -> bool:
        """Whether all of it was sent: False when the client has gone. Raises what the body raises, in a group.

        close: tells the client that the connection ends with this response.
        """
        whole = False
        async with aclosing(response.stream) as body:
            head = encode_stream_head(response, is_chunked=self._is_chunked, close=close)
            await self._stream.send_all(head)
            if method == "HEAD":
                return True
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, nursery.cancel_scope)
                whole = await self._write(body)
                nursery.cancel_scope.cancel()
        return whole

    async def _write(self, body: AsyncGenerator[bytes, None]) -> bool:
        try:
            async for chunk in body:
                if chunk:  # an empty one would be the last
                    await self._stream.send_all(
                        b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._is_chunked else chunk
                    )
            if self._is_chunked:
                await self._stream.send_all(_LAST_CHUNK)
        except LOST:
            return False
        return True

    async def _watch(self, sending: trio.CancelScope) -> None:
        try:
            while len(self.received) < self._room:
                data = await self._stream.receive_some()
                if not data:
                    break
                self.received += data
            else:
                # From here on a client that has gone shows by a write that fails.
                return
        except LOST:
            pass
        sending.cancel()

    def cut(self) -> None:
        """Ends a response that is not whole so that the client can tell."""
        if not self._is_chunked:
            self._stream.reset()
