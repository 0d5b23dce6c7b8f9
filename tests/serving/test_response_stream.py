"""Responses whose body is written while it is made: a client recognises a cut one, and a disconnect ends it."""

from collections.abc import AsyncGenerator

import pytest
import trio

from regserver.endpoint import Request, Response, StreamResponse
from tests.serving.support import Peer, RunningFront, bounds, open_front, show

GET = b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"
PIECES = b"one", b"", b"three" * 1000


class Streams:
    """A dispatcher of which /stream writes pieces, /fail breaks off, and /endless goes on until it is closed."""

    def __init__(self) -> None:
        self.begun = trio.Event()
        self.closed = trio.Event()

    async def __call__(self, request: Request) -> Response:
        bodies = {"/stream": self.pieces, "/fail": self.fails, "/endless": self.endless}
        if request.path not in bodies:
            return await show(request)
        return StreamResponse(content_type="text/event-stream", stream=bodies[request.path]())

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        for piece in PIECES:
            await trio.lowlevel.checkpoint()
            yield piece

    async def fails(self) -> AsyncGenerator[bytes, None]:
        yield b"one"
        raise ExceptionGroup("several", [ValueError(), KeyError()])

    async def endless(self) -> AsyncGenerator[bytes, None]:
        self.begun.set()
        try:
            while True:
                yield b"again"
                await trio.sleep(0.01)
        finally:
            self.closed.set()


async def _chunks(peer: Peer) -> list[bytes]:
    """The chunks of a body up to the last. Raises EOFError when the connection ends before."""
    chunks = []
    while size := int(await _line(peer), 16):
        chunks.append(await peer.read(size))
        assert await peer.read(2) == b"\r\n"
    assert await peer.read(2) == b"\r\n"
    return chunks


async def _line(peer: Peer) -> bytes:
    line = b""
    while not line.endswith(b"\r\n"):
        line += await peer.read(1)
    return line


async def test_chunks_and_the_connection_goes_on() -> None:
    async with open_front(dispatch=Streams()) as server, server.peer() as peer:
        for _ in range(2):
            await peer.send(GET)
            head = await peer.read_head()
            assert b"transfer-encoding: chunked" in head
            assert b"content-type: text/event-stream" in head
            assert b"content-length" not in head
            assert b"Connection: close" not in head
            assert b"".join(await _chunks(peer)) == b"".join(PIECES)
        assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def test_a_client_that_asks_to_close() -> None:
    async with open_front(dispatch=Streams()) as server, server.peer() as peer:
        await peer.send(b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = await peer.read_head()
        assert b"transfer-encoding: chunked" in head
        assert b"Connection: close" in head
        assert b"".join(await _chunks(peer)) == b"".join(PIECES)
        assert await peer.ended()
        assert peer.buffer == b""


async def test_the_end_of_the_connection_ends_it_in_http_1_0() -> None:
    async with open_front(dispatch=Streams()) as server, server.peer() as peer:
        await peer.send(b"GET /stream HTTP/1.0\r\n\r\n")
        head = await peer.read_head()
        assert b"transfer-encoding" not in head
        assert b"Connection: close" in head
        assert await peer.ended()
        assert peer.buffer == b"".join(PIECES)


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_head_has_no_body(version: bytes) -> None:
    async with open_front(dispatch=Streams()) as server, server.peer() as peer:
        await peer.send(b"HEAD /endless HTTP/" + version + b"\r\nHost: x\r\n\r\n")
        assert b"text/event-stream" in await peer.read_head()
        if version == b"1.1":
            assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        else:
            assert await peer.ended()
        assert peer.buffer == b""


async def test_a_stream_that_fails_is_cut() -> None:
    async with open_front(dispatch=Streams()) as server:
        async with server.peer() as peer:
            await peer.send(GET.replace(b"/stream", b"/fail"))
            await peer.read_head()
            with pytest.raises(EOFError):
                await _chunks(peer)
        assert server.counts.errors == 1
        async with server.peer() as peer:
            await peer.send(b"GET /fail HTTP/1.0\r\n\r\n")
            with pytest.raises(trio.BrokenResourceError):  # a reset
                await _read_on(peer)
        assert await server.is_fine()


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_client_that_goes_ends_it(version: bytes) -> None:
    streams = Streams()
    async with open_front(dispatch=streams) as server:
        async with server.peer() as peer:
            await peer.send(b"GET /endless HTTP/" + version + b"\r\nHost: x\r\n\r\n")
            await streams.begun.wait()
        with trio.fail_after(5):
            await streams.closed.wait()
        await server.settled()
        assert server.counts.errors == 0


async def test_a_client_that_reads_nothing_ends_it() -> None:
    async def flood() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"x" * 100_000

    async def dispatch(request: Request) -> Response:
        return StreamResponse(stream=flood())

    async with (
        open_front(bounds(write_seconds=0.3), dispatch=dispatch) as server,
        server.peer(receive_buffer=4096) as peer,
    ):
        await peer.send(GET)
        await server.settled()


async def test_what_comes_meanwhile_is_the_next_request() -> None:
    async with open_front(dispatch=Streams()) as server, server.peer() as peer:
        await peer.send(GET + b"GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /seco")
        await peer.read_head()
        await peer.send(b"nd HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"".join(await _chunks(peer)) == b"".join(PIECES)
        assert b"'/first'" in (await peer.response())[2]
        assert b"'/second'" in (await peer.response())[2]


async def test_more_than_is_kept_meanwhile_is_not_lost() -> None:
    """Past the bound nothing more is read until the stream ends."""
    streams = Streams()
    fields = b"X: " + b"a" * 8000 + b"\r\n"
    request = b"GET /next HTTP/1.1\r\nHost: x\r\n" + fields + b"\r\n"
    async with open_front(dispatch=streams) as server, server.peer() as peer:
        await peer.send(GET + request * 5)
        assert b"".join(await _chunks_of(peer)) == b"".join(PIECES)
        for _ in range(5):
            assert (await peer.response())[0] == 200
    async with open_front(bounds(grace_seconds=0.1), dispatch=streams) as server, server.peer() as peer:
        await peer.send(GET.replace(b"/stream", b"/endless") + request * 5)
        await peer.read_head()
        await _leave_unread(server, peer)
        with trio.fail_after(5):
            await streams.closed.wait()


async def _chunks_of(peer: Peer) -> list[bytes]:
    await peer.read_head()
    return await _chunks(peer)


async def _read_on(peer: Peer) -> None:
    while await peer.stream.receive_some():
        pass


async def _leave_unread(server: RunningFront, peer: Peer) -> None:
    """The client goes while nobody reads from it; a write that fails shows it."""
    await trio.sleep(0.1)
    await peer.aclose()
    await server.settled()
