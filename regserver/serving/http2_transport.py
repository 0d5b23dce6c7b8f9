"""A WebSocket in a stream of HTTP/2 (RFC 8441), as the transport of a session."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from regserver.endpoint import CloseCode, Response
from regserver.serving.broadcast import not_direct
from regserver.serving.held import Held
from regserver.serving.http2_stream import Http2Stream
from regserver.serving.inbound import Decoder, Inbound, Lost
from regserver.serving.limit import FrontLimits
from regserver.serving.send_queue import take_off
from regserver.serving.transport import READ_BYTES, Greeting

_PART_BYTES: Final = 16 * 1024
_ACCEPT: Final = b"accept"
"""Stands in the queue for the answer to the handshake."""


class Http2Transport:
    """Frames go out from the session's queue alone, in its drain task: windows and turns need a task."""

    is_pinged: ClassVar[bool] = True
    awaits_close: ClassVar[bool] = True

    def __init__(self, stream: Http2Stream, limits: FrontLimits) -> None:
        self._stream = stream
        self._decoder = Decoder(limits.message_bytes)

    @property
    def held(self) -> Held:
        """Of the connection."""
        return self._stream.held

    @property
    def send_nowait(self) -> Callable[[bytes], int]:
        """Never writes."""
        return not_direct

    def accept(self) -> Greeting:
        """A greeting whose answer is a mark for the head of the response."""
        return Greeting(_ACCEPT, b"")

    async def send_queued(self, queue: list[bytes]) -> int:
        """Sends the head, or as much of the queue as one frame takes. Raises LOST."""
        if queue[0] is _ACCEPT:
            del queue[0]
            await self._stream.accept()
            return len(_ACCEPT)
        await self._stream.wait_for_room()
        data = _joined(queue, self._stream.room())
        # Removed before it is sent: what is begun must be finished, even if the queue is dropped meanwhile.
        take_off(queue, len(data))
        await self._stream.write(data)
        return len(data)

    async def receive(self) -> bytes:
        """Up to 4 KiB of the peer."""
        return await self._stream.receive_some(READ_BYTES)

    def decode(self, received: bytes) -> Iterable[Inbound]:
        """The whole messages and control frames that these bytes complete."""
        return self._decoder.feed(received) if received else (Lost(CloseCode.ABNORMAL),)

    async def reject(self, response: Response) -> None:
        """Sends the response."""
        await self._stream.respond(response, "GET")

    async def finish(self) -> None:
        """Ends our side of the stream."""
        if not self._stream.is_ended:
            await self._stream.end()

    def close(self, *, reset: bool) -> None:
        """Does nothing: the connection resets a stream that has not ended when its task has."""


def _joined(queue: list[bytes], size: int) -> bytes:
    """The first `size` bytes of a queue, or all of it."""
    chunks: list[bytes] = []
    for chunk in queue:
        if size <= 0:
            break
        chunks.append(chunk[:size])
        size -= len(chunk)
    return b"".join(chunks)
