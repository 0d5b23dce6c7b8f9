"""The front door: listeners, connections, and the shutdown.

`open` has two nurseries: of the connections, and inside it of the accept loops with the ticker. A shutdown takes four steps, after
a time of leaving, if `leave_nowait` was called: everything is served, and each answer over HTTP/1.1 ends its connection.

1. whoever has connected already is accepted, and nobody else; idle connections are closed, sessions get GOING_AWAY, HTTP/2 connections GOAWAY;
2. requests and sessions have `grace_seconds` to end;
3. remaining connections are reset: closing its socket ends even a send that cannot be cancelled;
4. what is left of them is cancelled.

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
from regserver.serving.asgi import SocketRoutes
from regserver.serving.client_stream import ClientStream, PlainStream, TlsStream
from regserver.serving.connection import Admit, Connection, ConnectionContext, Switch
from regserver.serving.held import Held
from regserver.serving.late_http2 import serve_http2
from regserver.serving.limit import FrontLimits
from regserver.serving.listener import Listener, accept, load_tls, open_listeners, take_waiting
from regserver.serving.metric import FrontMetrics, NoMetrics
from regserver.serving.reference_cycle import TLS_CYCLE, break_cycle, check_cycle
from regserver.serving.registry import Registry
from regserver.serving.session import run_session
from regserver.serving.session_core import SessionContext

_log = logging.getLogger(__name__)

_QUIET_SECONDS = 0.5
_FORCED_SECONDS = 0.5  # reset connections need a few turns of the event loop to end


class Front:
    """Serves requests and sessions on any number of addresses. Opened once."""

    def __init__(
        self,
        *,
        dispatch: Endpoint,
        socket: SocketRoutes,
        admit: Admit = lambda _: None,
        limits: FrontLimits | None = None,
        metrics: FrontMetrics | None = None,
    ) -> None:
        """dispatch: serves every request. socket: the session endpoint at a decoded path, or None.

        admit: asked over HTTP/2 before a body is read; see ConnectionContext. Raises UnsupportedLibrary.
        """
        check_cycle(trio.SSLStream, TLS_CYCLE)
        self._limits = limits if limits is not None else FrontLimits()
        self._metrics: FrontMetrics = metrics if metrics is not None else NoMetrics()
        self._registry = Registry(self._limits)
        self._admission = Admission(self._limits)
        sessions = SessionContext(self._limits, self._metrics, self._registry)
        self._context = ConnectionContext(dispatch=dispatch, admit=admit, socket=socket, sessions=sessions)
        self._streams: set[ClientStream] = set()
        self._forced = trio.Event()
        self._tls: ssl.SSLContext | None = None

    @property
    def connections(self) -> int:
        """The number of open connections, including sessions."""
        return self._admission.total

    @property
    def sessions(self) -> int:
        """The number of WebSocket sessions that are open or in their handshake."""
        return len(self._registry)

    @property
    def held_bytes(self) -> int:
        """The bytes that are held for clients; see Held."""
        return self._admission.held.total

    def load_tls(self, certificate: str, key: str) -> ssl.SSLContext:
        """A certificate chain and its key, for `take_tls`. Raises BindError for unusable files."""
        return load_tls(certificate, key, http2=self._limits.http2_streams > 0)

    def take_tls(self, context: ssl.SSLContext) -> None:
        """Shakes hands by another certificate from now on; open connections stay as they are."""
        self._tls = context

    def abort_nowait(self) -> None:
        """Ends the grace time of the present or a later shutdown."""
        self._forced.set()

    def leave_nowait(self) -> None:
        """From now on each answer over HTTP/1.1 says that its connection ends."""
        self._context.leaving = True

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

        The shutdown takes at most grace_seconds and a second. Raises BindError before it serves anything.
        """
        if tls_cert:
            self._tls = self.load_tls(tls_cert, tls_key)
        listeners = await open_listeners(list(binds), self._limits, tls=self._tls is not None)
        with contextlib.ExitStack() as stack, self._context.responses.open():
            for listener in listeners:
                stack.callback(listener.close)
            async with trio.open_nursery() as connections:
                try:
                    async with trio.open_nursery() as accepting:
                        for listener in listeners:
                            handle = self._handler(connections, listener)
                            accepting.start_soon(accept, listener, self._limits, handle)
                        accepting.start_soon(self._registry.run_ticker)
                        accepting.start_soon(self._context.deadlines.run)
                        yield [listener.url for listener in listeners]
                        for listener in listeners:
                            take_waiting(listener, self._limits, self._handler(connections, listener))
                        stack.close()
                        await self._drain()
                        accepting.cancel_scope.cancel()
                finally:
                    self._abort_all()
                    connections.cancel_scope.deadline = trio.current_time() + _FORCED_SECONDS

    async def _drain(self) -> None:
        """Asks all connections to end; returns when they have, or after the grace time."""
        if self._context.leaving:
            # A proxy that meets a closed address sends nothing more by the connections that it keeps; then they can be closed.
            with trio.move_on_after(_QUIET_SECONDS):
                await self._forced.wait()
        self._context.closing = self._context.leaving = True
        self._context.responses.flush_nowait()  # those of connections that are idle from this step on
        for connection in list(self._context.deadlines.connections):
            connection.close_if_idle()
        self._registry.close_all(CloseCode.GOING_AWAY, "server going away")
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
        self, connections: trio.Nursery, listener: Listener
    ) -> Callable[[sockets.socket, Any], None]:
        name = listener.sock.getsockname()
        server = (name[0], name[1]) if isinstance(name, tuple) else None

        def handle(sock: sockets.socket, address: Any) -> None:
            client = (plain_address(address[0]), address[1]) if isinstance(address, tuple) else None
            held = self._enter(client[0] if client is not None else "")
            if isinstance(held, int):
                self._refuse(sock, held, self._tls is not None)
            else:
                stream = PlainStream(sock, client, server, self._limits, held)
                connections.start_soon(self._handle, stream, self._tls, name="connection")

        return handle

    def _enter(self, address: str) -> Held | int:
        """As Admission.enter; where no place is left, the connection that has been idle for longest gives its own."""
        held = self._admission.enter(address)
        if held == 503 and self._context.deadlines.evict_nowait():
            self._metrics.connection_cut("idle")
            return self._admission.enter(address, has_place=True)
        return held

    def _refuse(self, sock: sockets.socket, status: int, secure: bool) -> None:
        """Refuses a connection without a task; over TLS it is closed without an answer."""
        self._metrics.connection_refused(status)
        with sock, contextlib.suppress(OSError):
            if not secure:
                response = refusal(status, self._limits)
                sock.send(encode_response(response, "GET", close=True))
                sock.shutdown(sockets.SHUT_WR)
                sock.recv(self._limits.head_bytes)  # closing with unread bytes would send a reset

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
            self._admission.leave(stream.held)
            self._metrics.connection_closed()

    async def _serve_tls(self, plain: PlainStream, context: ssl.SSLContext) -> None:
        transport = trio.SocketStream(trio.socket.from_stdlib_socket(plain.sock))
        tls = trio.SSLStream(transport, context, server_side=True, https_compatible=True)
        try:
            if not await self._shake_hands(tls):
                return
            stream = TlsStream(plain, tls)
            if tls.selected_alpn_protocol() == "h2":
                await serve_http2(self._context, stream, b"")
            else:
                session = await self._serve_requests(stream)
                if session is not None:
                    await session
        finally:
            break_cycle(tls, TLS_CYCLE)

    async def _shake_hands(self, tls: "trio.SSLStream[trio.SocketStream]") -> bool:
        with trio.move_on_after(self._limits.tls_seconds) as patience:
            try:
                await tls.do_handshake()
            except (OSError, ValueError, trio.BrokenResourceError, trio.ClosedResourceError):
                return False
        return not patience.cancelled_caught

    async def _serve_requests(self, stream: ClientStream) -> Coroutine[Any, Any, None] | None:
        """Serves HTTP/1.1; returns what it became, to be awaited at once: a session, HTTP/2, or None.

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
        if isinstance(upgrade, Switch):
            return serve_http2(self._context, stream, upgrade.early)
        return run_session(self._context.sessions, upgrade.request, upgrade.transport, upgrade.endpoint)
