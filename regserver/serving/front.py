"""The front door: listeners, connections, and the shutdown.

`open` has three nurseries, from outside to inside: of the application's lifespan, of the connections, and of the accept loops
with the ticker. They end in the reverse order, so that each part ends before the parts that it uses:

1. accepting stops; idle connections are closed, sessions get GOING_AWAY, HTTP/2 connections GOAWAY;
2. requests and sessions have `grace_seconds` to end;
3. remaining connections are reset: closing its socket ends even a send that cannot be cancelled;
4. the application shuts down.

Connections share a nursery, so `_handle` catches every exception of a connection.
"""

import contextlib
import logging
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import trio

from regserver.domain.address import plain_address
from regserver.endpoint import CloseCode, Endpoint
from regserver.serving.admission import Admission
from regserver.serving.answer import encode_response, refusal
from regserver.serving.asgi import AsgiApp, SocketRoutes, asgi_sessions
from regserver.serving.asgi_bound import bounded_requests
from regserver.serving.client_stream import ClientStream, PlainStream, TlsStream
from regserver.serving.connection import Connection, ConnectionContext
from regserver.serving.hypercorn_hook import Backend
from regserver.serving.limit import FrontLimits
from regserver.serving.listener import Listener, accept, load_tls, open_listeners
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.reference_cycle import break_cycle
from regserver.serving.registry import Registry
from regserver.serving.session import run_session
from regserver.serving.session_core import SessionContext

_log = logging.getLogger(__name__)

_FORCED_SECONDS = 0.5  # reset connections need a few turns of the event loop to end


class Front:
    """Serves requests and sessions on any number of addresses. Opened once."""

    def __init__(
        self,
        *,
        app: AsgiApp,
        dispatch: Endpoint,
        socket: SocketRoutes,
        limits: FrontLimits | None = None,
        metrics: FrontMetrics | None = None,
    ) -> None:
        """app: serves HTTP/2. dispatch: serves every request of HTTP/1.1.

        socket: the session endpoint at a decoded path, or None. Raises UnsupportedLibrary.
        """
        self._limits = limits if limits is not None else FrontLimits()
        self._metrics: FrontMetrics = metrics if metrics is not None else NoMetrics()
        self._registry = Registry(self._limits)
        self._admission = Admission(self._limits)
        wrapped = asgi_sessions(app, socket, self._limits, self._metrics, self._registry)
        self._backend = Backend(bounded_requests(wrapped, self._limits, self._metrics), self._limits)
        self._context = ConnectionContext(
            dispatch=dispatch,
            socket=socket,
            backend=self._backend,
            limits=self._limits,
            metrics=self._metrics,
        )
        self._sessions = SessionContext(self._limits, self._metrics, self._registry)
        self._streams: set[ClientStream] = set()
        self._forced = trio.Event()

    @property
    def connections(self) -> int:
        """The number of open connections, including sessions."""
        return self._admission.total

    @property
    def sessions(self) -> int:
        """The number of WebSocket sessions that are open or in their handshake."""
        return len(self._registry)

    def abort_nowait(self) -> None:
        """Ends the grace time of the present or a later shutdown."""
        self._forced.set()

    async def serve(
        self,
        binds: Sequence[str],
        *,
        tls_cert: str = "",
        tls_key: str = "",
        shutdown: trio.Event,
        task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serves until `shutdown` is set and everything has ended, or until cancelled. See `open`.

        task_status: started with the addresses, such as "http://127.0.0.1:8080".
        """
        async with self.open(binds, tls_cert=tls_cert, tls_key=tls_key) as urls:
            task_status.started(urls)
            await shutdown.wait()

    @contextlib.asynccontextmanager
    async def open(
        self, binds: Sequence[str], *, tls_cert: str = "", tls_key: str = ""
    ) -> AsyncIterator[list[str]]:
        """Serves while the body runs, then shuts down; yields the addresses.

        The shutdown takes at most grace_seconds, a second, and the time of the application's shutdown. Raises BindError
        before it serves anything, AppFailed.
        """
        tls = load_tls(tls_cert, tls_key) if tls_cert else None
        listeners = await open_listeners(list(binds), self._limits, tls=tls is not None)
        with contextlib.ExitStack() as stack:
            for listener in listeners:
                stack.callback(listener.close)
            async with self._backend.running(), trio.open_nursery() as connections:
                try:
                    async with trio.open_nursery() as accepting:
                        for listener in listeners:
                            handle = self._handler(connections, tls, listener)
                            accepting.start_soon(accept, listener, self._limits, handle)
                        accepting.start_soon(self._registry.run_ticker)
                        accepting.start_soon(self._context.deadlines.run)
                        yield [listener.url for listener in listeners]
                        stack.close()
                        await self._drain()
                        accepting.cancel_scope.cancel()
                finally:
                    self._abort_all()
                    connections.cancel_scope.deadline = trio.current_time() + _FORCED_SECONDS

    async def _drain(self) -> None:
        """Asks all connections to end; returns when they have, or after the grace time."""
        self._context.closing = True
        for connection in list(self._context.deadlines.connections):
            connection.close_if_idle()
        self._registry.close_all(CloseCode.GOING_AWAY, "server going away")
        await self._backend.stop()
        with trio.move_on_after(self._limits.grace_seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._cancel_when_forced, nursery.cancel_scope)
                await self._admission.wait_empty()
                nursery.cancel_scope.cancel()

    async def _cancel_when_forced(self, scope: trio.CancelScope) -> None:
        await self._forced.wait()
        scope.cancel()

    def _abort_all(self) -> None:
        self._registry.abort_all()
        for connection in list(self._context.deadlines.connections):
            connection.abort()
        for stream in list(self._streams):
            stream.reset()

    # Connections.

    def _handler(
        self, connections: trio.Nursery, tls: ssl.SSLContext | None, listener: Listener
    ) -> Callable[[sockets.socket, Any], None]:
        name = listener.sock.getsockname()
        server = (name[0], name[1]) if isinstance(name, tuple) else None

        def handle(sock: sockets.socket, address: Any) -> None:
            client = (plain_address(address[0]), address[1]) if isinstance(address, tuple) else None
            stream = PlainStream(sock, client, server, self._limits.write_seconds)
            refused = self._admission.enter(stream.peer)
            if refused:
                self._refuse(stream, refused, tls is not None)
            else:
                connections.start_soon(self._handle, stream, tls, name="connection")

        return handle

    def _refuse(self, stream: PlainStream, status: int, secure: bool) -> None:
        """Refuses a connection without a task; over TLS it is closed without an answer."""
        self._metrics.connection_refused(status)
        with contextlib.suppress(OSError):
            if not secure:
                response = refusal(status, self._limits)
                stream.send_nowait(encode_response(response, "GET", close=True))
                stream.sock.shutdown(sockets.SHUT_WR)
                stream.sock.recv(self._limits.head_bytes)  # closing with unread bytes would send a reset
        stream.close()

    async def _handle(self, stream: PlainStream, tls: ssl.SSLContext | None) -> None:
        """The life of one connection. Raises nothing but Cancelled, since connections share a nursery."""
        self._streams.add(stream)
        self._metrics.connection_opened()
        try:
            # The session is awaited here and not in an inner function, whose frame each idle session would hold.
            if tls is not None:
                await self._serve_tls(stream, tls)
            elif (session := await self._serve_requests(stream)) is not None:
                await session
        except* Exception as group:
            self._metrics.error_contained()
            _log.error("connection ended by an error", exc_info=group)
        finally:
            stream.close()
            self._streams.discard(stream)
            self._admission.leave(stream.peer)
            self._metrics.connection_closed()

    async def _serve_tls(self, plain: PlainStream, context: ssl.SSLContext) -> None:
        transport = trio.SocketStream(trio.socket.from_stdlib_socket(plain.sock))
        tls = trio.SSLStream(transport, context, server_side=True, https_compatible=True)
        try:
            if not await self._shake_hands(tls):
                return
            stream = TlsStream(plain, tls)
            if tls.selected_alpn_protocol() == "h2":
                await self._backend.serve_http2(stream, b"")
                await stream.finish(self._limits.linger_seconds)
            else:
                session = await self._serve_requests(stream)
                if session is not None:
                    await session
        finally:
            break_cycle(tls)

    async def _shake_hands(self, tls: "trio.SSLStream[trio.SocketStream]") -> bool:
        with trio.move_on_after(self._limits.tls_seconds) as patience:
            try:
                await tls.do_handshake()
            except (OSError, ValueError, trio.BrokenResourceError, trio.ClosedResourceError):
                return False
        return not patience.cancelled_caught

    async def _serve_requests(self, stream: ClientStream) -> Coroutine[Any, Any, None] | None:
        """Serves HTTP/1.1; returns the session that it became, to be awaited at once, or None.

        The frame ends here and drops the handshake's request, which may contain a token, while a session may live for days.
        """
        connection = Connection(self._context, stream)
        timed = self._context.deadlines.connections
        timed.add(connection)
        try:
            upgrade = await connection.run()
        finally:
            timed.discard(connection)
        if upgrade is None:
            return None
        return run_session(self._sessions, upgrade.request, upgrade.transport, upgrade.endpoint)
