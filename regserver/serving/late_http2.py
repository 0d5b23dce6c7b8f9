"""HTTP/2, whose library, h2, is loaded for the first connection that speaks it: 2 MiB, and 40 ms in a thread."""

from collections.abc import Awaitable, Callable

import trio

from regserver.serving.client_stream import ClientStream
from regserver.serving.connection import ConnectionContext

ServeHttp2 = Callable[[ConnectionContext, ClientStream, bytes], Awaitable[None]]

_loaded: list[ServeHttp2] = []


async def serve_http2(context: ConnectionContext, stream: ClientStream, early: bytes) -> None:
    """Serves a whole HTTP/2 connection. early: its first bytes, if they were read already. Raises UnsupportedLibrary."""
    if not _loaded:
        _loaded.append(await trio.to_thread.run_sync(_load))
    await _loaded[0](context, stream, early)


def _load() -> ServeHttp2:
    from regserver.serving.http2_connection import serve_http2 as serve  # 2 MiB, 40 ms

    return serve
