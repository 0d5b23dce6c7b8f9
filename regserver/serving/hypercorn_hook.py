"""HTTP/2 and the ASGI application's lifespan, by one exact version of Hypercorn, checked at start.

Everything that relies on the inside of Hypercorn is here. It never sees HTTP/1.1, so its faults there (an early frame or a
bad chunk ends the server, sockets are never closed) have no effect. An exception that escapes it ends one connection: see
front.py. asgi_bound.py bounds the time of requests.
"""

import contextlib
import importlib.metadata
import inspect
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any, Final, Self

import hypercorn.protocol.ws_stream as ws_stream
import trio
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.protocol.h2 import BUFFER_HIGH_WATER, BufferCompleteError, StreamBuffer
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState as AppState
from hypercorn.typing import LifespanState
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError, wrap_app

from regserver.group import unwrapped
from regserver.serving.answer import current_date
from regserver.serving.asgi import AsgiApp
from regserver.serving.client_stream import ClientStream
from regserver.serving.limit import FrontLimits
from regserver.serving.reference_cycle import UnsupportedLibrary, break_cycle, check_cycles

VERSION: Final = "0.18.0"

_IDLE_LOOKS: Final = 8  # checks within the idle time of a connection, which ends at most one interval late
_STOPPING_SECONDS: Final = 0.05

_log = logging.getLogger(__name__)


class AppFailed(Exception):
    """The ASGI application's lifespan failed or took too long, at start or at shutdown."""


def check_version() -> None:
    """Raises UnsupportedLibrary unless the hooked parts are as expected. A frozen binary has no metadata to check."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("hypercorn")
        if version != VERSION:
            raise UnsupportedLibrary(f"hypercorn {version} is installed, {VERSION} is needed")
    parameters = list(inspect.signature(TCPServer.__init__).parameters)
    if parameters != ["self", "app", "config", "context", "state", "stream"]:
        raise UnsupportedLibrary("TCPServer takes other parameters")
    for name in ("run", "protocol_send", "_idle_timeout", "_read_data"):
        if not inspect.iscoroutinefunction(getattr(TCPServer, name, None)):
            raise UnsupportedLibrary(f"TCPServer.{name} is not what it was")
    if not callable(getattr(ws_stream, "server_extensions_handshake", None)):
        raise UnsupportedLibrary("ws_stream.server_extensions_handshake is not what it was")
    check_cycles()


def _no_extensions(*_: object) -> None:
    """Refuses permessage-deflate: compression takes more memory per socket than everything else."""


class _Config(Config):
    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        return [(b"date", current_date().encode())]


class Backend:
    """The ASGI application behind Hypercorn."""

    def __init__(self, app: AsgiApp, limits: FrontLimits) -> None:
        check_version()
        ws_stream.server_extensions_handshake = _no_extensions  # type: ignore[assignment, attr-defined]
        config = _Config()
        config.errorlog = logging.getLogger(f"{__name__}.app")
        config.h2_max_header_list_size = limits.head_bytes
        config.keep_alive_timeout = limits.idle_seconds
        # It would bound each read of the connection, and so cut responses that take longer.
        config.read_timeout = None
        config.websocket_max_message_size = limits.message_bytes
        config.websocket_ping_interval = limits.ping_seconds
        config.shutdown_timeout = limits.grace_seconds
        self._config = config
        self._app: Any = wrap_app(app, 0, "asgi")
        self._context = WorkerContext(None)
        self._state: LifespanState = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The application's lifespan: started on entry, shut down on exit. Raises AppFailed."""
        lifespan = Lifespan(self._app, self._config, self._state)
        ended = trio.Event()
        try:
            with unwrapped(LifespanFailureError, LifespanTimeoutError):
                async with trio.open_nursery() as nursery:
                    await nursery.start(self._run_lifespan, lifespan, ended)
                    await lifespan.wait_for_startup()
                    if lifespan.shutdown.is_set():  # the app has no lifespan, or is about to raise
                        await ended.wait()
                        await trio.lowlevel.checkpoint()
                    yield
                    await lifespan.wait_for_shutdown()
                    nursery.cancel_scope.cancel()
        except (LifespanFailureError, LifespanTimeoutError) as error:
            raise AppFailed(str(error)) from None

    @staticmethod
    async def _run_lifespan(
        lifespan: Lifespan, ended: trio.Event, *, task_status: trio.TaskStatus[None]
    ) -> None:
        try:
            await lifespan.handle_lifespan(task_status=task_status)
        finally:
            ended.set()

    async def stop(self) -> None:
        """Ends HTTP/2 connections: idle ones at once, others with their streams."""
        await self._context.terminated.set()

    async def serve_http2(self, stream: ClientStream, early: bytes) -> None:
        """Serves a whole HTTP/2 connection. early: its first bytes, if they were read already."""
        adapter: Any = _StreamAdapter(stream, early)
        server = _Http2(
            self._app, self._config, _Http2Context(self._context), AppState(self._state.copy()), adapter
        )
        try:
            await server.run()
        finally:
            break_cycle(server)


class _Http2Context(WorkerContext):
    """The context of one connection. Hypercorn sleeps on it between pings, at most until the connection ends."""

    def __init__(self, shared: WorkerContext) -> None:
        super().__init__(None)
        self.terminated = shared.terminated
        self.over = trio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the server stops."""
        return self.terminated.is_set()

    async def pause(self, seconds: float) -> None:
        """Sleeps, at most until the server stops. While it stops, sleeps _STOPPING_SECONDS, so that streams can end."""
        if self.stopping:
            await trio.sleep(_STOPPING_SECONDS)
        else:
            with trio.move_on_after(seconds):
                await self.terminated.wait()

    async def sleep(self, wait: float) -> None:  # type: ignore[override]  # static there, but called on the instance
        with trio.move_on_after(wait):
            await self.over.wait()


class _ClosedStream:
    """Replaces a stream that was answered and closed before its whole request had come."""

    idle = True

    async def handle(self, _: object) -> None:
        """Drops further data; Hypercorn then restores the peer's flow control window."""


class _Streams(dict[int, Any]):
    def __missing__(self, _: int) -> _ClosedStream:
        return _ClosedStream()


class _Buffer(StreamBuffer):
    """Data that waits for the peer's window. Hypercorn's own resumes the writer whenever the window is found empty, so a
    peer that does not read makes it grow without a bound. This one resumes when the peer has taken most of the data."""

    async def push(self, data: bytes) -> None:
        if self._complete:
            raise BufferCompleteError
        self.buffer.extend(data)
        await self._is_empty.clear()
        while len(self.buffer) >= BUFFER_HIGH_WATER and not self._complete:
            # No checkpoint between the two, or an event that is set meanwhile would be missed.
            await self._paused.clear()
            await self._paused.wait()

    async def pop(self, max_length: int) -> bytes:
        data = await super().pop(max_length)
        if len(self.buffer) < BUFFER_HIGH_WATER:
            await self._paused.set()
        return data


class _Buffers(dict[int, Any]):
    def __setitem__(self, number: int, buffer: StreamBuffer) -> None:
        super().__setitem__(number, _Buffer(type(buffer._paused)))


class _Http2(TCPServer):
    """A whole connection, with corrections of Hypercorn's faults.

    In Hypercorn, data for a closed stream ends the connection (KeyError); the ping tasks and the idle task outlive the
    connection; and the idle timer is often not started: a stream that ends cancels its application, which was about to
    start it, and a stream that the client resets starts none. Here one task checks for streams at intervals.
    """

    context: _Http2Context

    async def protocol_send(self, event: Event) -> None:
        if not isinstance(event, Updated):  # whether it is idle: _idle_timeout asks the protocol itself
            await super().protocol_send(event)

    async def _read_data(self) -> None:
        protocol: Any = self.protocol.protocol
        protocol.streams = _Streams()
        protocol.stream_buffers = _Buffers()
        protocol.ssl = self.stream.is_tls  # of a plain connection it would be True
        await super()._read_data()
        self.context.over.set()
        await self.idle_task.stop()

    async def _idle_timeout(self) -> None:
        protocol: Any = self.protocol.protocol
        requests, quiet = 0, 0
        while quiet < _IDLE_LOOKS and (protocol.streams or not self.context.stopping):
            await self.context.pause(self.config.keep_alive_timeout / _IDLE_LOOKS)
            is_quiet = protocol.idle and protocol.keep_alive_requests == requests
            requests, quiet = protocol.keep_alive_requests, quiet + 1 if is_quiet else 0
        with trio.CancelScope(shield=True):
            await self._initiate_server_close()


class _StreamAdapter:
    """A ClientStream with the interface that Hypercorn expects: a TLS stream whose ALPN chose HTTP/2, and its socket.

    Only so does Hypercorn speak HTTP/2 from the first byte.
    """

    def __init__(self, stream: ClientStream, early: bytes) -> None:
        self._stream = stream
        self._early = early
        self.is_tls = stream.scheme == "https"
        host = stream.client[0] if stream.client is not None else None
        self.family = socket.AF_UNIX if host is None else socket.AF_INET6 if ":" in host else socket.AF_INET

    @property
    def transport_stream(self) -> Self:
        return self

    @property
    def socket(self) -> Self:
        return self

    def getpeername(self) -> Any:
        return self._stream.client

    def getsockname(self) -> Any:
        return self._stream.server

    async def do_handshake(self) -> None:
        await trio.lowlevel.checkpoint()

    def selected_alpn_protocol(self) -> str:
        return "h2"

    async def receive_some(self, max_bytes: int) -> bytes:
        data, self._early = self._early, b""
        if data:
            await trio.lowlevel.checkpoint()
            return data
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def aclose(self) -> None:
        await self._stream.aclose()
