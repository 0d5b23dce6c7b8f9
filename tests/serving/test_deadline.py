"""Every kind of exchange against every deadline, each deadline about a second: exchanges with progress survive, stalled ones end."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import h2.events
import pytest
import trio

from regserver.endpoint import Request, Response, SocketEndpoint, SocketSession, StreamResponse
from tests.serving.http2 import Certificate, Http2Peer, http2, secure
from tests.serving.support import Peer, Room, RunningFront, bounds, client_frame, open_front, show

SHORT = bounds(
    tls_seconds=1,
    head_seconds=1,
    body_seconds=1,
    idle_seconds=1,
    write_seconds=1,
    accept_seconds=1,
    ping_seconds=0.6,
    pong_seconds=0.5,
    close_seconds=1,
    send_buffer_bytes=16 * 1024,
    queue_bytes=64 * 1024,
)
LONG = 2.5  # seconds: longer than any two of them
SOON = 4.0  # until what has stalled must be gone
BIG = b"x" * 600_000


class Door:
    """/events, /thinks and /big take long; /flood never ends; anything else answers at once."""

    def __init__(self) -> None:
        self.closed = trio.Event()

    async def __call__(self, request: Request) -> Response:
        match request.path:
            case "/events":
                return StreamResponse(stream=self.events())
            case "/flood":
                return StreamResponse(stream=self.flood())
            case "/thinks":
                await trio.sleep(LONG)
                return Response(body=b"thought")
            case "/big":
                return Response(body=BIG)
        return await show(request)

    async def events(self) -> AsyncGenerator[bytes, None]:
        for _ in range(10):
            await trio.sleep(LONG / 10)
            yield b"beat"

    async def flood(self) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            self.closed.set()


async def pour(session: SocketSession) -> None:
    session.accept_nowait()
    while session.send_text_nowait("x" * 10_000):
        await trio.lowlevel.checkpoint()
    await session.wait_closed()


@contextlib.asynccontextmanager
async def _house(certificate: Certificate | None, door: Door) -> AsyncIterator[RunningFront]:
    cert, key = certificate or ("", "")
    sockets: dict[str, SocketEndpoint] = {"/pour": pour, "/room": Room()}
    async with open_front(SHORT, dispatch=door, sockets=sockets, tls_cert=cert, tls_key=key) as server:
        yield server


@contextlib.asynccontextmanager
async def _peer(
    server: RunningFront, certificate: Certificate | None, receive_buffer: int = 0
) -> AsyncIterator[Peer]:
    """A client that speaks HTTP/1.1."""
    if certificate is None:
        async with server.peer(receive_buffer) as peer:
            yield peer
    else:
        async with secure(server, certificate) as stream:
            yield Peer(stream)


@pytest.fixture(params=["plain", "tls"])
def maybe(request: pytest.FixtureRequest, certificate: Certificate) -> Certificate | None:
    return certificate if request.param == "tls" else None


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


# What must live.


async def test_what_takes_long_is_whole(maybe: Certificate | None) -> None:
    """Beside each other: a stream, an endpoint that thinks, a big body that is read slowly, a request after another."""

    async def stream() -> None:
        async with _peer(server, maybe) as peer:
            await peer.send(_get("/events"))
            assert b"chunked" in await peer.read_head()
            assert await peer.read(10 * len(b"4\r\nbeat\r\n") + 5) == b"4\r\nbeat\r\n" * 10 + b"0\r\n\r\n"

    async def thought() -> None:
        async with _peer(server, maybe) as peer:
            assert (await peer.ask(_get("/thinks")))[2] == b"thought"

    async def slow_reader() -> None:
        async with _peer(server, maybe, receive_buffer=16 * 1024) as peer:
            await peer.send(_get("/big"))
            await peer.read_head()
            for _ in range(10):
                await trio.sleep(LONG / 10)
                await peer.read(len(BIG) // 10)

    async def kept_alive() -> None:
        async with _peer(server, maybe) as peer:
            for _ in range(5):
                assert (await peer.ask(_get("/a")))[0] == 200
                await trio.sleep(LONG / 5)

    async with _house(maybe, Door()) as server, trio.open_nursery() as nursery:
        for client in (stream, thought, slow_reader, kept_alive):
            nursery.start_soon(client)


async def test_a_socket_that_answers_pings_lives(maybe: Certificate | None) -> None:
    async with _house(maybe, Door()) as server, _peer(server, maybe) as peer:
        await peer.upgrade("/echo")
        with trio.move_on_after(LONG):
            while True:
                opcode, payload = await peer.frame()
                assert opcode == 9
                await peer.send(client_frame(payload, 10))
        await peer.send(client_frame(b"still here"))
        frame = await peer.frame()
        while frame[0] == 9:
            frame = await peer.frame()
        assert frame == (1, b"still here")


async def test_what_takes_long_over_http2_is_whole(certificate: Certificate) -> None:
    async def body(path: str, pause: float = 0) -> bytes:
        async with http2(server, certificate) as peer:
            await _ask(peer, path)
            content = b""
            while True:
                event = await peer.next_event(h2.events.DataReceived, h2.events.StreamEnded)
                if isinstance(event, h2.events.StreamEnded):
                    return content
                assert isinstance(event, h2.events.DataReceived)
                content += event.data
                await trio.sleep(pause)

    async def expect(content: bytes, path: str, pause: float = 0) -> None:
        assert await body(path, pause) == content

    async with _house(certificate, Door()) as server, trio.open_nursery() as nursery:
        nursery.start_soon(expect, b"beat" * 10, "/events")
        nursery.start_soon(expect, b"thought", "/thinks")
        nursery.start_soon(expect, BIG, "/big", LONG / 40)  # about forty frames of 16 KiB


async def test_a_socket_over_http2_lives(certificate: Certificate) -> None:
    async with _house(certificate, Door()) as server, http2(server, certificate) as peer:
        sock = await peer.connect("/echo")
        assert (await sock.status())[0] == 200
        with trio.move_on_after(LONG):
            while True:
                opcode, payload = await sock.frame()
                assert opcode == 9
                await sock.send(client_frame(payload, 10))
        await sock.send(client_frame(b"still here"))
        frame = await sock.frame()
        while frame[0] == 9:
            frame = await sock.frame()
        assert frame == (1, b"still here")


# What must die.


async def _drip(peer: Peer, data: bytes) -> None:
    with contextlib.suppress(trio.BrokenResourceError):
        for byte in data:
            await peer.send(bytes((byte,)))
            await trio.sleep(0.1)


@pytest.mark.parametrize(
    ("begin", "drip"),
    [
        (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", b"a" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 100),
    ],
)
async def test_a_slow_sender(maybe: Certificate | None, begin: bytes, drip: bytes) -> None:
    async with _house(maybe, Door()) as server, _peer(server, maybe) as peer, trio.open_nursery() as nursery:
        await peer.send(begin)
        nursery.start_soon(_drip, peer, drip)
        with trio.fail_after(SOON):
            assert (await peer.response())[0] == 408
        nursery.cancel_scope.cancel()


async def test_a_slow_sender_over_http2(certificate: Certificate) -> None:
    async with _house(certificate, Door()) as server, http2(server, certificate) as peer:
        await peer.open(
            [(":method", "POST"), (":path", "/"), (":scheme", "https"), (":authority", "localhost")], None
        )
        with trio.fail_after(SOON):
            response = await peer.next_event(h2.events.ResponseReceived)
        assert isinstance(response, h2.events.ResponseReceived)
        assert (":status", "408") in [(str(name), str(value)) for name, value in response.headers]
        assert (await peer.ask_http2("GET", "/a"))[0] == 200  # the connection goes on


async def _say_nothing(peer: Peer) -> None:
    await trio.lowlevel.checkpoint()


async def _say_nothing_more(peer: Peer) -> None:
    assert (await peer.ask(_get("/a")))[0] == 200


async def _answer_no_ping(peer: Peer) -> None:
    await peer.upgrade("/room")


async def _answer_no_close(peer: Peer) -> None:
    await peer.upgrade("/room")
    await peer.send(b"\x81\x02hi")  # not masked: the server closes


@pytest.mark.parametrize("begin", [_say_nothing, _say_nothing_more, _answer_no_ping, _answer_no_close])
async def test_a_silent_client(maybe: Certificate | None, begin: Callable[[Peer], Awaitable[None]]) -> None:
    async with _house(maybe, Door()) as server, _peer(server, maybe) as peer:
        await begin(peer)
        with trio.fail_after(SOON):
            assert await peer.ended()
            await server.settled()
        assert server.counts.errors == 0


async def test_a_client_that_stalls_in_the_tls_handshake(certificate: Certificate) -> None:
    async with _house(certificate, Door()) as server, server.peer() as peer:
        await peer.send(b"\x16\x03\x01")
        with trio.fail_after(SOON):
            assert await peer.ended()


@pytest.mark.parametrize("path", ["/big", "/flood", "/pour"])
async def test_a_client_that_reads_nothing(maybe: Certificate | None, path: str) -> None:
    async with _house(maybe, Door()) as server, _peer(server, maybe, receive_buffer=4096) as peer:
        if path == "/pour":
            await peer.upgrade(path)
        else:
            await peer.send(_get(path) * 30)  # also of TLS, whose client has a big buffer
        with trio.fail_after(SOON):
            await server.settled()
        assert server.counts.errors == 0


async def test_a_client_that_takes_nothing_over_http2(certificate: Certificate) -> None:
    """It reads the socket, and gives the window of its streams not back."""
    door = Door()
    async with _house(certificate, door) as server, http2(server, certificate) as peer:
        peer.acknowledges = False
        await _ask(peer, "/flood")
        with trio.fail_after(SOON):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_read_on, peer)
                await door.closed.wait()
                nursery.cancel_scope.cancel()
        with trio.fail_after(SOON):
            await _read_on(peer)  # and then the connection is idle
            await server.settled()


async def _ask(peer: Http2Peer, path: str) -> None:
    fields = [(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "localhost")]
    await peer.open(fields)


async def _read_on(peer: Http2Peer) -> None:
    with contextlib.suppress(EOFError):
        while True:
            await peer.next_event(h2.events.DataReceived)


async def _nothing(peer: Http2Peer) -> None:
    await trio.lowlevel.checkpoint()


async def _a_request(peer: Http2Peer) -> None:
    assert (await peer.ask_http2("GET", "/a"))[0] == 200


async def _half_a_frame(peer: Http2Peer) -> None:
    await _a_request(peer)
    await peer.send(b"\0\0\x10\1\5\0\0\0\3")


async def _pings(peer: Http2Peer) -> None:
    for _ in range(20):
        peer.http.ping(b"12345678")
        await peer.flush()
        await trio.sleep(0.1)


async def _a_reset_stream(peer: Http2Peer) -> None:
    await _ask(peer, "/thinks")
    peer.http.reset_stream(1)
    await peer.flush()


@pytest.mark.parametrize("begin", [_nothing, _a_request, _half_a_frame, _pings, _a_reset_stream])
async def test_an_idle_connection_of_http2(
    certificate: Certificate, begin: Callable[[Http2Peer], Awaitable[None]]
) -> None:
    async with _house(certificate, Door()) as server, http2(server, certificate) as peer:
        with trio.fail_after(SOON), contextlib.suppress(EOFError, trio.BrokenResourceError):
            await begin(peer)
        with trio.fail_after(SOON):
            await _read_on(peer)
            await server.settled()
        assert server.counts.errors == 0
