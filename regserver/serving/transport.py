"""The transports of a session: a socket here, an ASGI server in asgi.py."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Final, Protocol

import msgspec

from regserver.endpoint import CloseCode, Response
from regserver.serving.answer import encode_response
from regserver.serving.client_stream import ClientStream
from regserver.serving.held import Held
from regserver.serving.inbound import Decoder, Inbound, Lost
from regserver.serving.limit import FrontLimits

READ_BYTES: Final = 4096  # at most 680 frames, which are decoded without a checkpoint


class Greeting(msgspec.Struct, frozen=True):
    """answer: to an accepted handshake, sent before all frames. early: bytes that the peer sent after its request."""

    answer: bytes
    early: bytes


_GIVEN: Final = Greeting(b"", b"")  # replaces a used greeting, since a session may live for days


class Transport(Protocol):
    """The connection of one WebSocket to its peer.

    is_pinged: whether the registry sends pings. awaits_close: whether the session waits for the peer's Close.
    """

    is_pinged: ClassVar[bool]
    awaits_close: ClassVar[bool]

    @property
    def held(self) -> Held:
        """The bytes held for the peer."""

    @property
    def send_nowait(self) -> Callable[[bytes], int]:
        """Writes without blocking; returns the number of bytes written. Raises OSError, such as BlockingIOError."""

    def accept(self) -> Greeting:
        """The greeting. Called once."""

    async def send_queued(self, queue: list[bytes]) -> int:
        """As ClientStream.send_queued."""

    def receive(self) -> Awaitable[Any]:
        """Waits for data, which `decode` decodes. Raises LOST."""

    def decode(self, received: Any) -> Iterable[Inbound]:
        """The decoded data, in order."""

    async def reject(self, response: Response) -> None:
        """Answers the handshake with an ordinary response. Raises LOST."""

    async def finish(self) -> None:
        """Waits until the last bytes have arrived; bounded in time."""

    def close(self, *, reset: bool) -> None:
        """Ends the connection at once. reset: drops unsent bytes. May be called twice."""


class SocketTransport:
    """A WebSocket on a ClientStream."""

    __slots__ = ("_decoder", "_greeting", "_linger_seconds", "_stream")

    is_pinged: ClassVar[bool] = True
    awaits_close: ClassVar[bool] = True

    def __init__(self, stream: ClientStream, greeting: Greeting, limits: FrontLimits) -> None:
        self._stream = stream
        self._greeting = greeting
        self._decoder = Decoder(limits.message_bytes)
        self._linger_seconds = limits.linger_seconds

    @property
    def held(self) -> Held:
        return self._stream.held

    @property
    def send_nowait(self) -> Callable[[bytes], int]:
        return self._stream.send_nowait

    def accept(self) -> Greeting:
        """The 101 response, and the bytes behind the request."""
        greeting, self._greeting = self._greeting, _GIVEN
        return greeting

    async def send_queued(self, queue: list[bytes]) -> int:
        """Writes to the stream."""
        return await self._stream.send_queued(queue)

    # Not `async`, which would add a frame to the stack of each waiting session.
    def receive(self) -> Awaitable[bytes]:
        """Up to 4 KiB of the peer."""
        return self._stream.receive_some(READ_BYTES)

    def decode(self, received: bytes) -> Iterable[Inbound]:
        """The whole messages and control frames that these bytes complete."""
        return self._decoder.feed(received) if received else (Lost(CloseCode.ABNORMAL),)

    async def reject(self, response: Response) -> None:
        await self._stream.send_all(encode_response(response, "GET", close=True))

    async def finish(self) -> None:
        await self._stream.finish(self._linger_seconds)

    def close(self, *, reset: bool) -> None:
        if reset:
            self._stream.reset()
        else:
            self._stream.close()
