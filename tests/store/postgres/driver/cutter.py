"""A TCP proxy that goes wrong when it is told to."""

import contextlib
import socket
import struct
from enum import Enum, auto

import trio

RESET = struct.pack("ii", 1, 0)


class Mode(Enum):
    """What it does with bytes: pass them on, hold them back, or pass one at a time."""

    PASS = auto()
    STALL = auto()
    TRICKLE = auto()


class Cutter:
    """Listens on `port` of 127.0.0.1 and connects each client to the server's port.

    cut_at: bytes of a client that make it cut both sides once they were passed on. accepted: connections so far.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._flows = trio.Event()
        self.mode = Mode.PASS
        self.cut_at: bytes | None = None
        self.accepted = 0
        self._server = port
        self._pairs: list[tuple[trio.SocketStream, trio.SocketStream]] = []

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.STALL:
            self._flows = trio.Event()
        else:
            self._flows.set()

    @classmethod
    async def start(cls, port: int, nursery: trio.Nursery) -> "Cutter":
        """Starts it in the nursery."""
        cutter = cls(port)
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        cutter.port = listener.socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, cutter._serve, [listener])
        return cutter

    async def _serve(self, client: trio.SocketStream) -> None:
        self.accepted += 1
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self._server)
        except OSError:
            await client.aclose()
            return
        pair = (client, server)
        self._pairs.append(pair)
        async with client, server, trio.open_nursery() as nursery:
            nursery.start_soon(self._pass, client, server, nursery.cancel_scope, True)
            nursery.start_soon(self._pass, server, client, nursery.cancel_scope, False)
        self._pairs.remove(pair)

    async def _pass(
        self, source: trio.SocketStream, target: trio.SocketStream, scope: trio.CancelScope, asks: bool
    ) -> None:
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while chunk := await source.receive_some(1 if self.mode is Mode.TRICKLE else 65536):
                await self._flows.wait()
                if asks and self.cut_at is not None and self.cut_at in chunk:
                    await self._cut_behind(target, chunk)
                else:
                    await target.send_all(chunk)
        scope.cancel()

    async def _cut_behind(self, target: trio.SocketStream, chunk: bytes) -> None:
        """The server gets the chunk, and the client no answer."""
        self.cut_at = None
        self.mode = Mode.STALL
        await target.send_all(chunk)
        await trio.sleep(0.05)  # so that the server has done it
        self.reset()
        self.mode = Mode.PASS

    def reset(self) -> None:
        """Resets all connections."""
        for client, server in self._pairs:
            for stream in (client, server):
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                trio.lowlevel.notify_closing(stream.socket)
                stream.socket.close()
