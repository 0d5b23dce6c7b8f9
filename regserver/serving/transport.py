"""What carries a session's frames: a socket of ours, or (asgi.py) an ASGI server. See session.py."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, Final, Protocol

import msgspec

from regserver.endpoint import CloseCode, Response
from regserver.serving.answer import encode_response
from regserver.serving.client_stream import ClientStream
from regserver.serving.inbound import Decoder, Inbound, Lost
from regserver.serving.limit import FrontLimits

_READ_BYTES = 4096  # 680 of the smallest frames: what a peer can make us parse before others get their turn


class Greeting(msgspec.Struct, frozen=True):
    """The answer to an accepted handshake, which goes ahead of all frames; and what the peer has sent behind its request."""

    answer: bytes
    early: bytes


_GIVEN: Final = Greeting(b"", b"")  # a session may live for days, so it does not keep the other


class Transport(Protocol):
    """One WebSocket's way to its peer.

    is_pinged: whether pings are ours to send. awaits_close: whether the peer's Close is ours to wait for.
    """

    is_pinged: ClassVar[bool]
    awaits_close: ClassVar[bool]

    @property
    def send_nowait(self) -> Callable[[bytes], int]:
        """Writes without blocking and returns how many bytes were taken. Raises OSError; BlockingIOError for "not now"."""

    def accept(self) -> Greeting:
        """What to send first. Called once."""

    async def send_queued(self, queue: list[bytes]) -> int:
        """As ClientStream.send_queued."""

    def receive(self) -> Awaitable[Any]:
        """The next that comes, for `decode`. Raises LOST."""

    def decode(self, received: Any) -> Iterable[Inbound]:
        """What it means, in order."""

    async def reject(self, response: Response) -> None:
        """Answers the handshake with an ordinary response. Raises LOST."""

    async def finish(self) -> None:
        """Lets arrive what was sent last; bounded in time."""

    def close(self, *, reset: bool) -> None:
        """Ends the connection at once; `reset` drops what is on its way. May be called twice."""


class SocketTransport:
    """A WebSocket on a stream of our own."""

    __slots__ = ("_decoder", "_greeting", "_linger_seconds", "_stream")

    is_pinged: ClassVar[bool] = True
    awaits_close: ClassVar[bool] = True

    def __init__(self, stream: ClientStream, greeting: Greeting, limits: FrontLimits) -> None:
        self._stream = stream
        self._greeting = greeting
        self._decoder = Decoder(limits.message_bytes)
        self._linger_seconds = limits.linger_seconds

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

    # Not `async`: a session that waits would keep one frame more on its stack.
    def receive(self) -> Awaitable[bytes]:
        """Up to 4 KiB of the peer."""
        return self._stream.receive_some(_READ_BYTES)

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
