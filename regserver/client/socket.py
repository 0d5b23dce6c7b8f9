"""One WebSocket to the server, by trio-websocket, whose tasks run in the client's nursery."""

from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection, wrap_client_stream

from regserver.client.ask import refusal
from regserver.client.fault import Unreachable
from regserver.client.transport import HttpTransport
from regserver.group import unwrapped

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]

OPEN_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""After so long without a frame the server is asked whether it is there."""
PONG_SECONDS = 10.0


class Closed(Exception):
    """The socket is over. code: of the server's Close frame; None where there was none."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """Opened by `open_socket`. Frames are read when they are asked for; past the first one the peer has to wait."""

    def __init__(self, stream: Stream, connection: WebSocketConnection, opened: "set[Socket]") -> None:
        self._stream = stream
        self._connection = connection
        self._opened = opened
        opened.add(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def text(self) -> str:
        """The next frame. Raises Closed, also for a server that is silent and answers no ping."""
        while True:
            try:
                with trio.move_on_after(SILENCE_SECONDS):
                    return str(await self._connection.get_message())
                with trio.fail_after(PONG_SECONDS):
                    await self._connection.ping()
            except ConnectionClosed as closed:
                raise Closed(None if closed.reason is None else closed.reason.code) from None
            except trio.TooSlowError:
                raise Closed(None) from None

    async def aclose(self) -> None:
        """Ends it at once: the server needs no goodbye."""
        self._opened.discard(self)
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self._stream)


class OpenSockets:
    """All sockets of one client. nursery: of their tasks."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.opened: set[Socket] = set()

    async def aclose(self) -> None:
        """Ends those that nobody has ended."""
        for socket in list(self.opened):
            await socket.aclose()


async def open_socket(transport: HttpTransport, sockets: OpenSockets, url: str, token: str | None) -> Socket:
    """Opens a WebSocket. url: ws or wss. token: sent as Authorization. Raises Unreachable, Refused, BadAnswer."""
    fields = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
    stream: Stream | None = None
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        with trio.fail_after(OPEN_SECONDS):
            stream = await _open_stream(transport, url)
            shake = partial(wrap_client_stream, stream=stream, host=parts.netloc, resource=target)
            with unwrapped(Exception):
                connection = await sockets.nursery.start(_serve, partial(shake, extra_headers=fields))
            return Socket(stream, connection, sockets.opened)
    except BaseException as error:
        if stream is not None:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
        if isinstance(error, ConnectionRejected):
            raise refusal(error.status_code, error.body or b"") from None
        if isinstance(error, OSError | ConnectionClosed | trio.TooSlowError | trio.BrokenResourceError):
            raise Unreachable(f"{parts.netloc}: {error!r}") from error
        raise


async def _serve(
    shake: Callable[[trio.Nursery], Awaitable[WebSocketConnection]],
    *,
    task_status: trio.TaskStatus[WebSocketConnection],
) -> None:
    """Runs the tasks of one socket. Their nursery is its own, since a handshake that is refused ends it (trio-websocket)."""
    async with trio.open_nursery() as nursery:
        task_status.started(await shake(nursery))


async def _open_stream(transport: HttpTransport, url: str) -> Stream:
    parts = urlsplit(url)
    assert parts.hostname is not None  # noqa: S101
    secure = parts.scheme == "wss"
    port = parts.port or (443 if secure else 80)
    if not secure:
        return await trio.open_tcp_stream(parts.hostname, port)
    stream = await trio.open_ssl_over_tcp_stream(parts.hostname, port, ssl_context=transport.tls)
    await stream.do_handshake()
    return stream
