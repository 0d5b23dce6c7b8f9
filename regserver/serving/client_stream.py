"""A connected client as a Trio stream, plain or TLS, with a bound on every wait for it to read.

It adds two methods to `trio.abc.Stream`: `send_nowait`, which a broadcast calls for thousands of sockets without a task, a
lock or a checkpoint each; and `send_queued`, which writes many chunks with one call. One deviation: `send_all` takes no
checkpoint when the kernel accepts all bytes at once, since that would take a tenth of a small response's time. The plain
form uses the socket's own calls and Trio's two waits, so that an idle connection has few frames on its stack. The TLS form
uses Trio's SSLStream.
"""

import contextlib
import operator
import select
import socket
import struct
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Final, Literal

import trio

from regserver.serving.broadcast import not_direct
from regserver.serving.held import LARGE_BYTES, Held
from regserver.serving.limit import FrontLimits
from regserver.serving.send_queue import take_off

RECEIVE_BYTES: Final = 16 * 1024
SocketAddress = tuple[str, int]
LOST: Final = (trio.BrokenResourceError, trio.ClosedResourceError)
"""The exceptions of a stream whose peer is gone or does not read, or that the server itself has closed."""

# Linux tells of a peer that has closed its side; elsewhere only lost connections are noticed.
_HUNG_UP: Final = getattr(select, "POLLRDHUP", 0)
_GATHER: Final = 64  # chunks per write; well below IOV_MAX
_RECORD_BYTES: Final = 16 * 1024  # of TLS, at most
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class ClientStream(trio.abc.Stream):
    """The common base of both forms.

    sock: the connected socket, non-blocking. client, server: (host, port), None for a unix socket.
    peer: the client's address without port, "" for a unix socket. limits: the longest send in all, and without progress.
    held: the bytes that wait for the peer. unsent: what the socket has not taken of a response; see ResponseBatch.
    send_nowait: writes without blocking; returns the number of bytes written, or raises OSError.
    """

    __slots__ = ("client", "held", "limits", "peer", "send_nowait", "server", "sock", "unsent")

    scheme: Literal["http", "https"]

    def __init__(
        self,
        sock: socket.socket,
        client: SocketAddress | None,
        server: SocketAddress | None,
        limits: FrontLimits,
        held: Held,
        *,
        is_direct: bool,
    ) -> None:
        self.sock = sock
        self.client = client
        self.server = server
        self.peer = client[0] if client is not None else ""
        self.limits = limits
        self.held = held
        self.unsent: bytes | None = None
        self.send_nowait: Callable[[bytes], int] = sock.send if is_direct else not_direct

    @abstractmethod
    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receives as Trio's streams do: b"" at the end. max_bytes: by default RECEIVE_BYTES. Raises LOST."""

    @abstractmethod
    async def send_queued(self, queue: list[bytes]) -> int:
        """Waits for room, writes the beginning of a queue and removes it; returns the number of bytes.

        The queue may change during the wait. Raises LOST.
        """

    @abstractmethod
    async def send_parts(self, head: bytes, body: bytes) -> None:
        """Writes a head and a body, without a copy of both. Raises as send_all."""

    @contextlib.contextmanager
    def _bounded(self, size: int) -> Iterator[float]:
        """Counts bytes as held while they are sent; yields when all must be sent. Raises BrokenResourceError."""
        # What is short is counted and not refused: a refusal is short itself.
        if size > LARGE_BYTES and not self.held.admits(size):
            raise trio.BrokenResourceError("too much is held for this peer")
        self.held.add(size)
        try:
            yield trio.current_time() + self.limits.seconds_to_send(size)
        finally:
            self.held.add(-size)

    @abstractmethod
    async def finish(self, linger_seconds: float) -> None:
        """Closes when the peer has closed, at most after linger_seconds, so that the last bytes arrive."""

    def gone(self) -> bool:
        """Whether the peer has closed its side or is lost; also while bytes of it are still unread."""
        if self.sock.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self.sock, _HUNG_UP)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Closes at once; a task that waits on the socket gets ClosedResourceError. May be called twice."""
        if self.sock.fileno() != -1:
            trio.lowlevel.notify_closing(self.sock)
            self.sock.close()

    def reset(self) -> None:
        """Closes at once and drops the bytes in the kernel's buffer; the peer sees a connection reset."""
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    def _lost(self) -> trio.BrokenResourceError | trio.ClosedResourceError:
        return trio.ClosedResourceError() if self.sock.fileno() < 0 else trio.BrokenResourceError()


class PlainStream(ClientStream):
    """A TCP or unix socket."""

    __slots__ = ("_ended", "_sending")

    scheme = "http"

    def __init__(
        self,
        sock: socket.socket,
        client: SocketAddress | None,
        server: SocketAddress | None,
        limits: FrontLimits,
        held: Held,
    ) -> None:
        super().__init__(sock, client, server, limits, held, is_direct=True)
        self._sending = False
        self._ended = False  # the peer has ended its side

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Waits until something has come. b"" at the end; raises LOST."""
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError("max_bytes must be positive")
        sock = self.sock
        # Checked before each wait: with Trio 0.35 a task that waits for a closed descriptor would never wake up.
        while (number := sock.fileno()) >= 0:
            await trio.lowlevel.wait_readable(number)
            try:
                data = sock.recv(max_bytes or RECEIVE_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._lost() from error
            if not data:
                self._ended = True
            return data
        await trio.lowlevel.checkpoint()
        raise trio.ClosedResourceError

    async def wait_send_all_might_not_block(self) -> None:
        """Waits for room, write_seconds at most. Raises LOST."""
        await self._writable(trio.current_time() + self.limits.write_seconds)

    async def _writable(self, until: float) -> None:
        number = self.sock.fileno()
        if number < 0:
            await trio.lowlevel.checkpoint()
            raise trio.ClosedResourceError
        with trio.move_on_at(until) as patience:
            await trio.lowlevel.wait_writable(number)
        if patience.cancelled_caught:
            raise trio.BrokenResourceError("the peer does not read")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Writes everything. Raises LOST after write_seconds without progress, BusyResourceError for a second sender."""
        # A second sender would write into the middle of the first one's data.
        if self._sending:
            raise trio.BusyResourceError("another task is sending")
        taken = self._send_some(data)  # usually all of it
        if taken < len(data):
            await self._send_rest([memoryview(data)[taken:]])

    async def send_parts(self, head: bytes, body: bytes) -> None:
        """Writes both, without a copy of both. Raises as send_all."""
        if self._sending:
            raise trio.BusyResourceError("another task is sending")
        try:
            taken = self.sock.sendmsg((head, body))
        except BlockingIOError:
            taken = 0
        except OSError as error:
            raise self._lost() from error
        rest = [memoryview(head)[taken:], memoryview(body)[max(0, taken - len(head)) :]]
        if rest[1]:
            await self._send_rest(rest)

    def _send_some(self, data: bytes | bytearray | memoryview) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost() from error

    async def _send_rest(self, views: list[memoryview]) -> None:
        """Some of it in each write_seconds, all of it at the least rate."""
        self._sending = True
        try:
            with self._bounded(sum(map(len, views))) as end:
                for view in views:
                    while view:
                        await self._writable(min(end, trio.current_time() + self.limits.write_seconds))
                        view = view[self._send_some(view) :]
        finally:
            self._sending = False

    def interrupt_nowait(self) -> None:
        """Wakes a task that receives, by ClosedResourceError, if there is something unsent; the socket stays open."""
        if self.unsent is not None and self.sock.fileno() >= 0:
            trio.lowlevel.notify_closing(self.sock)

    async def send_unsent(self) -> None:
        """Sends the rest of an earlier response. Raises LOST."""
        unsent, self.unsent = self.unsent, None
        if unsent is not None:
            await self._send_rest([memoryview(unsent)])

    async def send_queued(self, queue: list[bytes]) -> int:
        """Writes up to 64 chunks with one call."""
        await self.wait_send_all_might_not_block()
        if not queue:  # dropped meanwhile
            return 0
        try:
            # A gathering write copies none of the chunks, which other sessions share.
            taken = self.sock.sendmsg(queue[:_GATHER])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost() from error
        take_off(queue, taken)
        return taken

    async def finish(self, linger_seconds: float) -> None:
        """Ends our side, then reads until the peer ends its own."""
        # Closing with unread bytes makes the kernel send a reset, which can overtake what was sent last.
        if not self._ended:
            with contextlib.suppress(OSError, *LOST), trio.move_on_after(linger_seconds):
                self.sock.shutdown(socket.SHUT_WR)
                while await self.receive_some():
                    pass
        self.close()


class TlsStream(ClientStream):
    """A socket whose TLS handshake is done. TLS can only be written in a task, so send_nowait always raises BlockingIOError."""

    __slots__ = ("_tls",)

    scheme = "https"

    def __init__(self, plain: PlainStream, tls: "trio.SSLStream[trio.SocketStream]") -> None:
        super().__init__(plain.sock, plain.client, plain.server, plain.limits, plain.held, is_direct=False)
        self._tls = tls

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        try:
            return bytes(await self._tls.receive_some(max_bytes or RECEIVE_BYTES))
        except (OSError, ValueError) as error:  # ValueError: of a descriptor that is closed
            raise self._lost() from error

    async def wait_send_all_might_not_block(self) -> None:
        with self._patient():
            await self._tls.wait_send_all_might_not_block()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Writes everything, a record at a time: each in write_seconds, all at the least rate. Raises LOST."""
        view = memoryview(data)
        with self._bounded(len(view)) as end:
            for first in range(0, len(view), _RECORD_BYTES):
                with self._patient(end):  # for each record, since a slow peer makes progress
                    await self._tls.send_all(view[first : first + _RECORD_BYTES])

    async def send_parts(self, head: bytes, body: bytes) -> None:
        """Writes both."""
        await self.send_all(head)
        await self.send_all(body)

    @contextlib.contextmanager
    def _patient(self, end: float = float("inf")) -> Iterator[None]:
        try:
            with trio.fail_at(min(end, trio.current_time() + self.limits.write_seconds)):
                yield
        except (OSError, ValueError, trio.TooSlowError) as error:
            raise self._lost() from error

    async def send_queued(self, queue: list[bytes]) -> int:
        """Joins chunks to one record."""
        count, size = 1, len(queue[0])
        while count < len(queue) and size + len(queue[count]) <= _RECORD_BYTES:
            size += len(queue[count])
            count += 1
        data = b"".join(queue[:count])
        # Removed before they are sent: a record that is begun must be finished, even if the queue is dropped meanwhile.
        del queue[:count]
        await self.send_all(data)
        return size

    async def finish(self, linger_seconds: float) -> None:
        """Sends the close alert."""
        with contextlib.suppress(OSError, ValueError, *LOST), trio.move_on_after(linger_seconds):
            await self._tls.aclose()
        self.close()
