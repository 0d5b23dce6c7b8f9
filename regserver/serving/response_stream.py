"""A response whose body is written while it is made, over HTTP/1.1 in chunks (RFC 9112, 7.1).

A watcher reads during the writing. It ends the stream when the client disconnects, and keeps other bytes: they are the
client's next request. A stream that fails is cut: the last chunk is missing, so that the client notices. HTTP/1.0 has no
chunks: there the end of the connection ends the body, and a reset shows that it was cut.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import trio

from regserver.endpoint import StreamResponse
from regserver.serving.answer import encode_stream_head
from regserver.serving.client_stream import LOST, ClientStream

_LAST_CHUNK = b"0\r\n\r\n"


class ResponseStream:
    """Sends one StreamResponse. received: bytes that the client has sent meanwhile."""

    def __init__(self, stream: ClientStream, *, is_chunked: bool, room: int) -> None:
        """room: most bytes of the client to keep; further ones stay in the kernel until the stream ends."""
        self._stream = stream
        self._is_chunked = is_chunked
        self._room = room
        self.received = b""

    async def send(self, response: StreamResponse, method: str, *, close: bool) -> bool:
        """Sends the response; False when the client disconnected before its end. Raises exceptions of the body, in a group.

        close: adds Connection: close.
        """
        whole = False
        async with aclosing(response.stream) as body:
            head = encode_stream_head(response, is_chunked=self._is_chunked, close=close)
            if method == "HEAD":
                await self._stream.send_all(head)
                return True
            await self._stream.send_all(head + self._chunk(response.body) if response.body else head)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, nursery.cancel_scope)
                whole = await self._write(body)
                nursery.cancel_scope.cancel()
        return whole

    async def _write(self, body: AsyncGenerator[bytes, None]) -> bool:
        try:
            async for chunk in body:
                if chunk:  # an empty one would be the last
                    await self._stream.send_all(self._chunk(chunk))
            if self._is_chunked:
                await self._stream.send_all(_LAST_CHUNK)
        except LOST:
            return False
        return True

    def _chunk(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data

    async def _watch(self, sending: trio.CancelScope) -> None:
        try:
            while len(self.received) < self._room:
                data = await self._stream.receive_some()
                if not data:
                    break
                self.received += data
            else:
                # The room is full. From here on only a failing write shows that the client has disconnected.
                return
        except LOST:
            pass
        sending.cancel()

    def cut(self) -> None:
        """Ends an incomplete response so that the client notices."""
        if not self._is_chunked:
            self._stream.reset()
