"""All that relies on the inside of Hypercorn: one exact version of it, checked at start.

Hypercorn speaks HTTP/2 and drives the ASGI application, lifespan included. It never sees a client's HTTP/1.1 bytes:
the front door reads each request itself, whole, and writes it anew in the plainest form there is (one length, no
chunks, no upgrade, no expectation). For each such request a Hypercorn connection is made that ends with its response.
So its parser and ours cannot differ, an upgrade may follow any request, and the faults met in its connection handling
(an early frame or a bad chunk that ends the server, sockets that are never closed, sends that cannot be cancelled)
find no way in. What still escapes it ends one connection: see front.py.
"""

import contextlib
import importlib.metadata
import inspect
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any, Final

import hypercorn.protocol.ws_stream as ws_stream
import trio
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState, LifespanState
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError, wrap_app

from regserver.group import unwrapped
from regserver.serving.answer import current_date
from regserver.serving.asgi import AsgiApp
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, LinkLost, TlsLink

VERSION: Final = "0.18.0"

_log = logging.getLogger(__name__)


class UnsupportedHypercorn(Exception):
    """The installed Hypercorn is not the one this module was written against."""


class AppFailed(Exception):
    """The ASGI application refused to start or to stop (its lifespan failed, or took too long)."""


def check_version() -> None:
    """Raises UnsupportedHypercorn unless what is hooked is there. A frozen binary has no metadata; its build had."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("hypercorn")
        if version != VERSION:
            raise UnsupportedHypercorn(f"hypercorn {version} is installed, {VERSION} is needed")
    parameters = list(inspect.signature(TCPServer.__init__).parameters)
    if parameters != ["self", "app", "config", "context", "state", "stream"]:
        raise UnsupportedHypercorn("TCPServer takes other parameters")
    for name in ("run", "protocol_send", "_idle_timeout", "_read_data"):
        if not inspect.iscoroutinefunction(getattr(TCPServer, name, None)):
            raise UnsupportedHypercorn(f"TCPServer.{name} is not what it was")
    if not callable(getattr(ws_stream, "server_extensions_handshake", None)):
        raise UnsupportedHypercorn("ws_stream.server_extensions_handshake is not what it was")


def _no_extensions(*_: object) -> None:
    """permessage-deflate is never agreed on: compression per socket costs more memory than everything else."""


ws_stream.server_extensions_handshake = _no_extensions  # type: ignore[assignment, attr-defined]


class _Config(Config):
    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        return [(b"date", current_date().encode())]


class Backend:
    """The ASGI application behind Hypercorn."""

    def __init__(self, app: AsgiApp, limits: FrontLimits) -> None:
        check_version()
        config = _Config()
        config.errorlog = logging.getLogger(f"{__name__}.app")
        config.h11_max_incomplete_size = 2 * limits.head_bytes + limits.body_bytes
        config.h2_max_header_list_size = limits.head_bytes
        config.keep_alive_timeout = limits.idle_seconds
        config.read_timeout = (
            None  # a stream is bounded by its endpoint, an idle connection by keep_alive_timeout
        )
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
                    if lifespan.shutdown.is_set():  # over already: it is not supported, or about to raise
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
        """HTTP/2 connections end when their streams have; idle ones now."""
        await self._context.terminated.set()

    async def serve_http2(self, link: Link, early: bytes) -> None:
        """A whole HTTP/2 connection; `early` are its first bytes, where they were read already."""
        tap = _ConnectionTap(link, early)
        state = ConnectionState(self._state.copy())
        context = _Http2Context(self._context)
        await _run(_Http2(self._app, self._config, context, state, _seen(tap)))


async def _run(server: TCPServer) -> None:
    """Drives a Hypercorn connection to its end. It refers to itself through its protocol, so it is taken apart then:
    otherwise it would lie about until the garbage collector finds it."""
    try:
        await server.run()
    finally:
        vars(server).clear()


class _Http2Context(WorkerContext):
    """Hypercorn sleeps on it between the pings of a WebSocket: no longer than the connection lives."""

    def __init__(self, shared: WorkerContext) -> None:
        super().__init__(None)
        self.terminated = shared.terminated
        self.over = trio.Event()

    async def sleep(self, wait: float) -> None:  # type: ignore[override]  # static there, but called on the instance
        with trio.move_on_after(wait):
            await self.over.wait()


class _Deaf:
    """Stands for a stream that was answered and closed before all of its request had come."""

    idle = True

    async def handle(self, _: object) -> None:
        """What still comes is dropped; Hypercorn then gives the peer its flow control window back."""


class _Streams(dict[int, Any]):
    def __missing__(self, _: int) -> _Deaf:
        return _Deaf()


class _Http2(TCPServer):
    """A whole connection.

    Late data ends only its stream (Hypercorn: KeyError); the ping tasks and the idle task end with the connection
    (Hypercorn: after their time).
    """

    context: _Http2Context

    async def _read_data(self) -> None:
        protocol: Any = self.protocol.protocol
        protocol.streams = _Streams()
        protocol.ssl = self.stream.is_tls
        await super()._read_data()
        self.context.over.set()
        await self.idle_task.stop()


class _Name:
    """What Hypercorn asks of a socket: who is there. Asked of the link, it costs no system calls."""

    def __init__(self, link: Link) -> None:
        self._link = link
        host = (link.client or ("", 0))[0]
        self.family = socket.AF_UNIX if link.client is None else (
            socket.AF_INET6 if ":" in host else socket.AF_INET
        )  # fmt: skip

    def getpeername(self) -> Any:
        return self._link.client

    def getsockname(self) -> Any:
        return self._link.server


class _Tap:
    """The stream Hypercorn is given instead of the client's."""

    def __init__(self, link: Link, data: bytes) -> None:
        self.link = link
        self._data = data
        self.lost = False
        self.socket = _Name(link)

    async def send_all(self, data: bytes) -> None:
        try:
            await self.link.send_all(data)
        except LinkLost as error:
            self.lost = True
            raise trio.BrokenResourceError from error


class _ConnectionTap(_Tap):
    """Passes everything on."""

    async def receive_some(self, _: int) -> bytes:
        data, self._data = self._data, b""
        if data:
            await trio.lowlevel.checkpoint()
            return data
        return await self.link.receive()

    async def send_eof(self) -> None:
        """The front door closes the link when Hypercorn is done with it."""

    async def aclose(self) -> None:
        self.link.close()


class _Secure:
    """A tap as a TLS stream, the handshake long done. That is how Hypercorn is told to speak HTTP/2 at once."""

    def __init__(self, tap: _Tap, protocol: str) -> None:
        self._tap = tap
        self._protocol = protocol
        self.is_tls = isinstance(tap.link, TlsLink)
        self.transport_stream = tap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tap, name)

    async def do_handshake(self) -> None:
        await trio.lowlevel.checkpoint()

    def selected_alpn_protocol(self) -> str:
        return self._protocol


def _seen(tap: _Tap) -> Any:
    """The tap in the form by which Hypercorn tells HTTP/2."""
    return _Secure(tap, "h2")
