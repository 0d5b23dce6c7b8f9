"""One stream of an HTTP/2 connection: a request and its response, or a WebSocket (RFC 8441)."""

from contextlib import aclosing
from typing import Final

import trio

from regserver.endpoint import Response, StreamResponse
from regserver.serving.answer import BODILESS, current_date, response_fields
from regserver.serving.held import LARGE_BYTES, Held
from regserver.serving.http2_head import Http2Head
from regserver.serving.http2_wire import Http2Wire
from regserver.serving.limit import FrontLimits

_RESTORED_BYTES: Final = 16 * 1024  # the window is opened again by so much at a time


class Http2Stream:
    """See the module. head: set unless it is malformed.

    scope: of the task that answers, cancelled when the client resets the stream. due: when the body must be whole, in seconds
    of the monotonic clock. is_whole: the client has sent everything. is_ended: so has the server. is_lost: the client has
    reset the stream. is_taken: a task answers it. is_socket: it is a WebSocket.
    """

    __slots__ = (
        "_limits", "_moved", "_unrestored", "_wire", "due", "head", "held", "inbound", "is_ended", "is_lost", "is_socket",
        "is_taken", "is_whole", "number", "scope",
    )  # fmt: skip

    def __init__(self, wire: Http2Wire, number: int, held: Held, limits: FrontLimits) -> None:
        self.number = number
        self.held = held
        self.head: Http2Head
        self.scope = trio.CancelScope()
        self.due = float("inf")
        self.inbound = bytearray()
        self.is_socket = self.is_taken = self.is_whole = self.is_ended = self.is_lost = False
        self._wire = wire
        self._limits = limits
        self._moved: trio.Event | None = None
        self._unrestored = 0

    # What the connection's reading task tells.

    def move_nowait(self) -> None:
        """The window, the data that has come, or the state of the stream has changed."""
        if self._moved is not None:
            self._moved.set()
            self._moved = None

    def lose_nowait(self) -> None:
        """The client has reset the stream, or is gone."""
        self.is_lost = True
        self.scope.cancel()
        self.move_nowait()

    def restore(self, size: int) -> None:
        """Opens the stream's window again by bytes that are no longer needed, unless the client has sent everything."""
        self._unrestored += size
        if self._unrestored >= _RESTORED_BYTES and not (self.is_whole or self.is_lost):
            self._wire.restore_stream(self.number, self._unrestored)
            self._unrestored = 0

    async def _wait(self, until: float) -> None:
        """Waits until something changes. Raises BrokenResourceError at `until`."""
        if self._moved is None:
            self._moved = trio.Event()
        moved = self._moved
        with trio.move_on_at(until):
            await moved.wait()
            return
        raise trio.BrokenResourceError("the peer does not read")

    # Sending.

    async def respond(self, response: Response, method: str) -> None:
        """Sends a whole response. method: of the request; HEAD gets no body. Raises LOST, and exceptions of a stream."""
        is_bodiless = method == "HEAD" or response.status in BODILESS
        if isinstance(response, StreamResponse):
            async with aclosing(response.stream) as chunks:
                await self.send_head(response, is_last=is_bodiless)
                if not is_bodiless:
                    await self.send_data(response.body)
                    async for chunk in chunks:
                        await self.send_data(chunk)
                    await self.end()
            return
        body = b"" if is_bodiless else response.body
        await self.send_head(response, is_last=not body)
        await self.send_data(body, is_last=True)

    async def send_head(self, response: Response, *, is_last: bool = False) -> None:
        """Sends the head of a response. Raises LOST."""
        fields = [(name.encode(), value.encode("latin-1")) for name, value in response_fields(response)]
        if isinstance(response, StreamResponse):
            fields = [field for field in fields if field[0] != b"content-length"]
        status, date = b"%d" % response.status, current_date().encode()
        await self._wire.send_head(
            self.number, [(b":status", status), *fields, (b"date", date)], is_last=is_last
        )
        self.is_ended = is_last

    async def accept(self) -> None:
        """Answers the handshake of a WebSocket. Raises LOST."""
        await self._wire.send_head(self.number, [(b":status", b"200"), (b"date", current_date().encode())])

    async def send_data(self, data: bytes, *, is_last: bool = False) -> None:
        """Sends data, which counts as held meanwhile. Raises LOST."""
        if not data:
            return
        if len(data) > LARGE_BYTES and not self.held.admits(len(data)):
            raise trio.BrokenResourceError("too much is held for this peer")
        self.held.add(len(data))
        try:
            await self.write(data, is_last=is_last)
        finally:
            self.held.add(-len(data))

    async def write(self, data: bytes, *, is_last: bool = False) -> None:
        """Sends data as the windows allow: some of it in each write_seconds, all of it at the least rate. Raises LOST."""
        end = trio.current_time() + self._limits.seconds_to_send(len(data))
        rest = memoryview(data)
        while rest:
            await self.wait_for_room(end)
            rest = rest[await self._wire.send_data(self.number, rest, is_last=is_last) :]
        self.is_ended = is_last

    def room(self) -> int:
        """How many bytes the peer takes now, in one frame. Raises LOST."""
        return self._wire.room(self.number)

    async def wait_for_room(self, end: float = float("inf")) -> None:
        """Waits until the peer takes data, at most write_seconds. Raises LOST."""
        while not self._wire.room(self.number):
            await self._wait(min(end, trio.current_time() + self._limits.write_seconds))

    async def end(self) -> None:
        """Ends the response. Raises LOST."""
        await self._wire.end(self.number)
        self.is_ended = True

    # Receiving, for a WebSocket.

    async def receive_some(self, max_bytes: int) -> bytes:
        """Waits until data has come. b"" at the end; raises LOST."""
        await trio.lowlevel.checkpoint()
        while not self.inbound:
            if self.is_lost:
                raise trio.BrokenResourceError("the client has reset the stream")
            if self.is_whole:
                return b""
            await self._wait(float("inf"))
        data = bytes(self.inbound[:max_bytes])
        del self.inbound[:max_bytes]
        self.restore(len(data))
        await self._wire.flush()
        return data
