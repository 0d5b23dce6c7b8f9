"""A connection's objects are freed when it ends, without the garbage collector."""

import contextlib
import gc
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
from h2.connection import H2Connection

from regserver.endpoint import SocketEndpoint
from regserver.serving import Front
from regserver.serving.client_stream import ClientStream
from regserver.serving.connection import Connection
from regserver.serving.held import Held
from regserver.serving.http2_connection import Http2Connection
from regserver.serving.http2_stream import Http2Stream
from regserver.serving.session_core import SessionCore
from tests.garbage import count, no_collector
from tests.serving.http2 import Http2Peer
from tests.serving.support import (
    Counts,
    Peer,
    RunningFront,
    bounds,
    close_payload,
    listen,
    open_front,
    show,
)

Certificate = tuple[str, str]


async def _request(peer: Peer) -> None:
    assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def _two_requests(peer: Peer) -> None:
    for _ in range(2):
        assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def _mistake(peer: Peer) -> None:
    assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n"))[0] == 400


async def _half_head(peer: Peer) -> None:
    await peer.send(b"GET /a HT")


async def _stays(peer: Peer) -> None:
    """Keeps its end open until the server no longer lingers."""
    await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await trio.sleep(0.3)


async def _out_of_time(peer: Peer) -> None:
    await peer.send(b"GET /a HT")
    assert (await peer.response())[0] == 408


async def _silent(peer: Peer) -> None:
    assert await peer.ended()


async def _clean_close(peer: Peer) -> None:
    await peer.upgrade("/echo")
    await peer.send(close_payload(1000))
    assert await peer.close_code() == 1000


async def _lost_session(peer: Peer) -> None:
    await peer.upgrade("/listen")


async def _unmasked(peer: Peer) -> None:
    await peer.upgrade("/echo")
    await peer.send(b"\x81\x02hi")
    assert await peer.close_code() == 1002


Way = Callable[[Peer], Awaitable[None]]
WAYS: tuple[Way, ...] = (
    _request,
    _two_requests,
    _mistake,
    _half_head,
    _stays,
    _out_of_time,
    _silent,
    _clean_close,
    _lost_session,
    _unmasked,
)


@contextlib.asynccontextmanager
async def _connected(
    server: RunningFront, certificate: Certificate | None, protocol: str = "http/1.1"
) -> AsyncIterator[trio.abc.Stream]:
    plain = await trio.open_tcp_stream("127.0.0.1", server.port)
    stream: trio.abc.Stream = plain
    if certificate is not None:
        context = ssl.create_default_context(cafile=certificate[0])
        context.set_alpn_protocols([protocol])
        stream = trio.SSLStream(plain, context, server_hostname="localhost", https_compatible=True)
    try:
        yield stream
    finally:
        await trio.aclose_forcefully(stream)


def _left() -> dict[str, int]:
    """What is there of what a connection is made of. Of both ends of TLS, only the server's: the others are the test's."""
    kinds = (ClientStream, Connection, SessionCore, Http2Connection, Http2Stream, Held)
    left = {kind.__name__: count(kind) for kind in kinds}
    # Of both ends of HTTP/2 likewise.
    left["h2"] = sum(isinstance(one, H2Connection) and not one.config.client_side for one in gc.get_objects())
    left["tls"] = sum(isinstance(one, ssl.SSLObject) and bool(one.server_side) for one in gc.get_objects())
    return {name: number for name, number in left.items() if number}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_left(certificate: Certificate, way: Way, secure: bool) -> None:
    cert, key = certificate if secure else ("", "")
    async with open_front(bounds(head_seconds=0.2), tls_cert=cert, tls_key=key) as server:
        with no_collector():
            for _ in range(3):
                async with _connected(server, certificate if secure else None) as stream:
                    await way(Peer(stream))
            await server.settled()
            assert _left() == {}


async def test_a_session_does_not_keep_the_function_that_began_it() -> None:
    """The dispatcher makes one for each socket, and a socket may be idle for days."""
    made: list[weakref.ref[Any]] = []

    def find(_: str) -> SocketEndpoint:
        endpoint = partial(listen)
        made.append(weakref.ref(endpoint))
        return endpoint

    front, counts = Front(dispatch=show, socket=find, limits=bounds()), Counts()
    async with trio.open_nursery() as nursery, front.open(["127.0.0.1:0"]) as urls:
        server = RunningFront(front, urls, counts, nursery)
        with no_collector():
            async with server.peer() as peer:
                await peer.upgrade("/any")
                assert front.sessions == 1
                assert [one() for one in made] == [None]


async def _two_requests_of_http2(peer: Http2Peer) -> None:
    for path in ("/a", "/b"):
        assert (await peer.ask_http2("GET", path))[0] == 200


async def _unfinished_body(peer: Http2Peer) -> None:
    fields = [(":method", "POST"), (":path", "/a"), (":scheme", "https"), (":authority", "x")]
    peer.http.send_data(await peer.open(fields, None), b"x" * 1000)
    peer.http.reset_stream(await peer.open(fields, None))
    await peer.open(fields, None)
    await peer.flush()


async def _socket_of_http2(peer: Http2Peer) -> None:
    sock = await peer.connect("/echo")
    assert (await sock.status())[0] == 200
    await sock.send(close_payload(1000))
    assert await sock.close_code() == 1000
    assert (await (await peer.connect("/listen")).status())[0] == 200


async def _flood_of_http2(peer: Http2Peer) -> None:
    await peer.send(b"\0\0\0\4\0\0\0\0\0" * 1000)
    assert await peer.ended()


@pytest.mark.parametrize("way", [_two_requests_of_http2, _unfinished_body, _socket_of_http2, _flood_of_http2])
async def test_nothing_is_left_of_http2(
    certificate: Certificate, way: Callable[[Http2Peer], Awaitable[None]]
) -> None:
    async with open_front(tls_cert=certificate[0], tls_key=certificate[1]) as server:
        with no_collector():
            async with _connected(server, certificate, "h2") as stream:
                peer = Http2Peer(stream)
                await peer.start()
                await way(peer)
            await server.settled()
            assert server.front.held_bytes == 0
            assert _left() == {}
