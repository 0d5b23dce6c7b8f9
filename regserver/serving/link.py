"""A connected socket as the front door uses it: plain or TLS, with a bound on every wait.

Plain sockets are driven by their non-blocking calls and Trio's two waits. That is what lets a broadcast write to
thousands of them from one loop without a task, a lock or a checkpoint each; and an idle one costs no more frames on
the stack than it must. TLS goes through Trio's stream.
"""

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal

import trio

RECEIVE_BYTES: Final = 16 * 1024
Address = tuple[str, int]

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class LinkLost(Exception):
    """The peer is gone, does not read, or the server has closed the socket itself."""


class Link:
    """The plain form.

    peer: remote address without port, "" for a unix socket. client, server: (host, port), None for a unix socket.
    send: writes without blocking and returns how many bytes were taken; None where that cannot be done (TLS).
    """

    __slots__ = ("client", "peer", "send", "server", "sock", "write_seconds")

    scheme: Literal["http", "https"] = "http"

    def __init__(
        self, sock: socket.socket, client: Address | None, server: Address | None, write_seconds: float
    ) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.peer = client[0] if client is not None else ""
        self.write_seconds = write_seconds
        self.send: Callable[[bytes], int] | None = sock.send

    async def receive(self, size: int = RECEIVE_BYTES) -> bytes:
        """What has come, at most `size` bytes; b"" when nothing will come any more, for whatever reason."""
        sock = self.sock
        # Never wait for a closed one: Trio 0.35 would keep this task on its books.
        while (number := sock.fileno()) >= 0:
            try:
                await trio.lowlevel.wait_readable(number)
                return sock.recv(size)
            except BlockingIOError:
                continue
            except (OSError, trio.ClosedResourceError):
                break
        return b""

    async def wait_writable(self) -> None:
        """Until the socket takes more. Raises LinkLost after write_seconds without room, or when it is closed."""
        number = self.sock.fileno()
        if number < 0:
            raise LinkLost
        try:
            with trio.fail_after(self.write_seconds):
                await trio.lowlevel.wait_writable(number)
        except (OSError, trio.ClosedResourceError, trio.TooSlowError) as error:
            raise LinkLost from error

    async def send_all(self, data: bytes) -> None:
        """Writes everything. Raises LinkLost after write_seconds without progress, or when the socket is gone."""
        try:
            taken = self.sock.send(data)  # most often that is all
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise LinkLost from error
        if taken < len(data):
            await self._send_rest(memoryview(data)[taken:])

    async def _send_rest(self, view: memoryview) -> None:
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                await self.wait_writable()
            except OSError as error:
                raise LinkLost from error

    async def finish(self, linger_seconds: float) -> None:
        """Ends the connection so that what was sent last arrives: no reset while the peer still sends."""
        with contextlib.suppress(OSError), trio.move_on_after(linger_seconds):
            self.sock.shutdown(socket.SHUT_WR)
            while await self.receive():
                pass
        self.close()

    def close(self) -> None:
        """Closes at once; whoever waits on the socket finds it gone. May be called twice."""
        if self.sock.fileno() != -1:
            trio.lowlevel.notify_closing(self.sock)
            self.sock.close()

    def reset(self) -> None:
        """Closes at once and drops what the kernel still holds for the peer."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()


class TlsLink(Link):
    """The same over TLS. Nothing can be written from outside a task, so `send` is None."""

    __slots__ = ("stream",)

    scheme = "https"

    def __init__(self, plain: Link, stream: "trio.SSLStream[trio.SocketStream]") -> None:
        super().__init__(plain.sock, plain.client, plain.server, plain.write_seconds)
        self.stream = stream
        self.send = None

    async def receive(self, size: int = RECEIVE_BYTES) -> bytes:
        try:
            return bytes(await self.stream.receive_some(size))
        except (OSError, ValueError, trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def send_all(self, data: bytes) -> None:
        try:
            with trio.fail_after(self.write_seconds):
                await self.stream.send_all(data)
        except (
            OSError,
            ValueError,
            trio.BrokenResourceError,
            trio.ClosedResourceError,
            trio.TooSlowError,
        ) as error:
            raise LinkLost from error

    async def finish(self, linger_seconds: float) -> None:
        with (
            contextlib.suppress(OSError, ValueError, trio.BrokenResourceError, trio.ClosedResourceError),
            trio.move_on_after(linger_seconds),
        ):
            await self.stream.aclose()
        self.close()
