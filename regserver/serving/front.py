"""The front door: all listeners, all connections, and their end.

`serve` owns three nurseries, from the outside in: the application's lifespan, the connections, and the accept loops
with the ticker. They end in the reverse order, so nothing is closed under anybody who still needs it:

1. accepting stops; idle connections are closed, sessions get 1001, HTTP/2 connections GOAWAY;
2. what is in flight has `grace_seconds`;
3. what is left is reset: closing the socket under a task ends even a send that cannot be cancelled;
4. the application shuts down.

A connection runs in the shared nursery, so whatever it raises is caught in `_handle` and ends there.
"""

import contextlib
import logging
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import trio

from regserver.domain.address import plain_address
from regserver.endpoint import CloseCode, Endpoint, SocketEndpoint
from regserver.group import unwrapped
from regserver.serving.admission import Admission
from regserver.serving.answer import encode_response, refusal
from regserver.serving.asgi import AsgiApp, SocketRoutes, asgi_sessions
from regserver.serving.connection import Connection, Context
from regserver.serving.hypercorn_hook import AppFailed, Backend
from regserver.serving.limit import FrontLimits
from regserver.serving.link import Link, TlsLink
from regserver.serving.listener import BindError, Listener, accept, load_tls, open_listeners
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.registry import Registry
from regserver.serving.session import LinkSession

_log = logging.getLogger(__name__)

_FORCED_SECONDS = 0.5  # what is reset needs a few turns of the loop to end


class Front:
    """Serves an ASGI application, hot endpoints and sessions on any number of addresses. Served once."""

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

        socket: the session endpoint at a decoded path, or None. Raises UnsupportedHypercorn.
        """
        self._limits = limits if limits is not None else FrontLimits()
        self._metrics: FrontMetrics = metrics if metrics is not None else NoMetrics()
        self._registry = Registry(self._limits)
        self._admission = Admission(self._limits)
        wrapped = asgi_sessions(app, socket, self._limits, self._metrics, self._registry)
        self._backend = Backend(wrapped, self._limits)
        self._context = Context(
            dispatch=dispatch,
            socket=socket,
            backend=self._backend,
            limits=self._limits,
            metrics=self._metrics,
        )
        self._links: set[Link] = set()
        self._forced = trio.Event()

    @property
    def connections(self) -> int:
        """Connections that are open, sessions included."""
        return self._admission.total

    @property
    def sessions(self) -> int:
        """WebSocket sessions that are open or in their handshake."""
        return len(self._registry)

    def abort_nowait(self) -> None:
        """Ends the grace time of a shutdown that has begun, or will."""
        self._forced.set()

    @contextlib.asynccontextmanager
    async def open(
        self, binds: Sequence[str], *, tls_cert: str = "", tls_key: str = ""
    ) -> AsyncIterator[list[str]]:
        """Serves while the body runs, then shuts down; gives the addresses. Raises what serve raises."""
        shutdown = trio.Event()
        with unwrapped(BindError, AppFailed):
            async with trio.open_nursery() as nursery:
                urls = await nursery.start(self._started, binds, tls_cert, tls_key, shutdown)
                try:
                    yield urls
                finally:
                    shutdown.set()

    async def _started(
        self,
        binds: Sequence[str],
        tls_cert: str,
        tls_key: str,
        shutdown: trio.Event,
        *,
        task_status: trio.TaskStatus[list[str]],
    ) -> None:
        await self.serve(
            binds, tls_cert=tls_cert, tls_key=tls_key, shutdown=shutdown, task_status=task_status
        )

    async def serve(
        self,
        binds: Sequence[str],
        *,
        tls_cert: str = "",
        tls_key: str = "",
        shutdown: trio.Event,
        task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serves until `shutdown` is set and everything has ended, or until cancelled.

        Started with the addresses, such as "http://127.0.0.1:8080". After `shutdown` it takes at most grace_seconds
        and a second, and the application's own shutdown. Raises BindError before anything is served, AppFailed.
        """
        tls = load_tls(tls_cert, tls_key) if tls_cert else None
        listeners = await open_listeners(list(binds), self._limits, tls=tls is not None)
        try:
            async with self._backend.running():
                await self._serve(listeners, tls, shutdown, task_status)
        finally:
            for listener in listeners:
                listener.close()

    async def _serve(
        self,
        listeners: list[Listener],
        tls: ssl.SSLContext | None,
        shutdown: trio.Event,
        task_status: trio.TaskStatus[list[str]],
    ) -> None:
        async with trio.open_nursery() as connections:
            self._context.spawn = connections.start_soon
            try:
                async with trio.open_nursery() as nursery:
                    for listener in listeners:
                        nursery.start_soon(accept, listener, self._limits, self._opener(tls, listener))
                    nursery.start_soon(self._registry.run_ticker)
                    nursery.start_soon(self._context.deadlines.run)
                    task_status.started([listener.url for listener in listeners])
                    await shutdown.wait()
                    for listener in listeners:
                        listener.close()
                    await self._drain()
                    nursery.cancel_scope.cancel()
            finally:
                self._abort_all()
                connections.cancel_scope.deadline = trio.current_time() + _FORCED_SECONDS

    async def _drain(self) -> None:
        """Ends everything gently; returns when all have ended or the grace time has."""
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
        for link in list(self._links):
            link.reset()

    # Connections.

    def _opener(
        self, tls: ssl.SSLContext | None, listener: Listener
    ) -> Callable[[sockets.socket, Any], None]:
        name = listener.sock.getsockname()
        server = (name[0], name[1]) if isinstance(name, tuple) else None

        def handle(sock: sockets.socket, address: Any) -> None:
            client = (plain_address(address[0]), address[1]) if isinstance(address, tuple) else None
            link = Link(sock, client, server, self._limits.write_seconds)
            refused = self._admission.enter(link.peer)
            if refused:
                self._refuse(link, refused, tls is not None)
            else:
                self._context.spawn(self._handle, link, tls, name="connection")

        return handle

    def _refuse(self, link: Link, status: int, secure: bool) -> None:
        """Turns a connection away without spending a task on it; over TLS there is no way to say why."""
        self._metrics.connection_refused(status)
        with contextlib.suppress(OSError):
            if not secure:
                link.sock.send(encode_response(refusal(status), "GET", close=True))
                link.sock.shutdown(sockets.SHUT_WR)
                link.sock.recv(self._limits.head_bytes)  # unread bytes would turn the close into a reset
        link.close()

    async def _handle(self, link: Link, tls: ssl.SSLContext | None) -> None:
        """The life of one connection. Runs in the shared nursery: nothing may escape it."""
        self._links.add(link)
        self._metrics.connection_opened()
        try:
            await (self._serve_plain(link) if tls is None else self._serve_tls(link, tls))
        except* Exception as group:
            self._metrics.error_contained()
            _log.error("connection ended by an error", exc_info=group)
        finally:
            link.close()
            self._links.discard(link)
            self._admission.leave(link.peer)
            self._metrics.connection_closed()

    async def _serve_tls(self, link: Link, tls: ssl.SSLContext) -> None:
        transport = trio.SocketStream(trio.socket.from_stdlib_socket(link.sock))
        stream = trio.SSLStream(transport, tls, server_side=True, https_compatible=True)
        try:
            await self._serve_stream(link, stream)
        finally:
            # It refers to itself, and would otherwise lie about until the garbage collector finds it.
            vars(stream).clear()

    async def _serve_stream(self, link: Link, stream: "trio.SSLStream[trio.SocketStream]") -> None:
        with trio.move_on_after(self._limits.tls_seconds) as scope:
            try:
                await stream.do_handshake()
            except (OSError, ValueError, trio.BrokenResourceError, trio.ClosedResourceError):
                return
        if scope.cancelled_caught:
            return
        secure = TlsLink(link, stream)
        if stream.selected_alpn_protocol() == "h2":
            await self._backend.serve_http2(secure, b"")
            await secure.finish(self._limits.linger_seconds)
        else:
            await self._serve_plain(secure)

    async def _serve_requests(self, link: Link) -> tuple[LinkSession, SocketEndpoint] | None:
        connection = Connection(self._context, link)
        with self._context.deadlines.entered(connection):
            return await connection.run()

    async def _serve_plain(self, link: Link) -> None:
        upgraded = await self._serve_requests(link)  # of which nothing is kept: a session may live for days
        if upgraded is None:
            return
        session, endpoint = upgraded
        bucket = self._registry.join(session)
        try:
            await session.run(endpoint)
        finally:
            bucket.discard(session)
