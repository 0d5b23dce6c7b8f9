"""Every bound of requests and connections: its answer, its count, and that the next one is served."""

import pytest
import trio

from regserver.endpoint import Request, Response
from regserver.serving import FrontLimits
from tests.serving.support import Peer, bounds, open_front, show


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (414, b"GET /a" + b"a" * 8200 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        (414, b"GET /a" + b"a" * 20000),
        (431, b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 16400 + b"\r\n\r\n"),
        (431, b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 16400),
        (431, b"GET /a HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 100 + b"\r\n"),
    ],
)
async def test_oversized_head(status: int, raw: bytes) -> None:
    async with open_front() as server, server.peer() as peer:
        answer = await peer.ask(raw)
        assert answer[0] == status
        assert answer[1]["connection"] == "close"
        assert await peer.ended()
        assert server.counts.refused == {status: 1}


async def test_largest_head_and_body() -> None:
    async with open_front() as server, server.peer() as peer:
        fields = b"".join(b"X-%d: 1\r\n" % number for number in range(98))
        raw = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n" + fields + b"\r\n" + b"a" * 65536
        assert (await peer.ask(raw))[0] == 200
        target = b"/" + b"a" * 8191
        assert (await peer.ask(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def test_oversized_body_is_answered_by_the_endpoint() -> None:
    """At once, while the client still waits to be told to go on; and what it sends after all does no harm."""
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n"
    async with open_front() as server, server.peer() as peer:
        status, fields, body = await peer.ask(head)
        assert (status, fields["connection"]) == (413, "close")
        assert b"b'', True" in body
        await peer.send(b"a" * 70000)
        assert await peer.ended()


async def test_oversized_chunks_are_answered_by_the_endpoint() -> None:
    async with open_front() as server, server.peer() as peer:
        await peer.send(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            await peer.send(b"4000\r\n" + b"a" * 0x4000 + b"\r\n")
        status, fields, body = await peer.response()
        assert (status, fields["connection"]) == (413, "close")
        assert b"b'', True" in body


async def test_expectation_is_met() -> None:
    async with open_front() as server, server.peer() as peer:
        head = b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"
        assert (await peer.ask(head))[0] == 100
        assert b"b'abc'" in (await peer.ask(b"abc"))[2]
        assert b"b'abc'" in (await peer.ask(head + b"abc"))[2]  # sent without waiting: nothing to tell


@pytest.mark.parametrize(
    ("limits", "raw"),
    [
        (bounds(head_seconds=0.1), b"GET /a HTTP/1.1\r\nHo"),
        (bounds(body_seconds=0.1), b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab"),
        (
            bounds(body_seconds=0.1),
            b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n",
        ),
    ],
)
async def test_too_slow_a_request(limits: FrontLimits, raw: bytes) -> None:
    async with open_front(limits) as server, server.peer() as peer:
        assert (await peer.ask(raw))[0] == 408
        assert await peer.ended()
        assert server.counts.refused == {408: 1}


async def test_drip_does_not_extend_the_deadline() -> None:
    async def drip(peer: Peer) -> None:
        for byte in b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000:
            await peer.send(bytes((byte,)))
            await trio.sleep(0.02)

    async with (
        open_front(bounds(head_seconds=0.3)) as server,
        server.peer() as peer,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(drip, peer)
        assert (await peer.response())[0] == 408
        nursery.cancel_scope.cancel()


async def test_silence_is_closed_without_a_word() -> None:
    async with open_front(bounds(head_seconds=0.1, idle_seconds=0.2)) as server:
        async with server.peer() as peer:  # never says anything
            assert await peer.ended()
        async with server.peer() as peer:  # says nothing more
            assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            assert await peer.ended()
            assert peer.buffer == b""
        assert not server.counts.refused


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with open_front() as server, server.peer() as peer:
        paths = [b"/%d" % number for number in range(6)]
        await peer.send(b"".join(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths))
        for path in paths:
            assert repr(path.decode()).encode() in (await peer.response())[2]


async def test_many_pipelined_requests_let_others_in() -> None:
    async def read(peer: Peer) -> None:
        while (await peer.response())[0]:
            pass

    async with (
        open_front() as server,
        server.peer() as busy,
        server.peer() as peer,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(busy.send, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 5000)
        nursery.start_soon(read, busy)
        assert (await peer.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        nursery.cancel_scope.cancel()


async def test_connections_in_all() -> None:
    async with open_front(bounds(connections=2)) as server:
        async with server.peer() as first, server.peer() as second, server.peer() as third:
            assert (await first.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            assert (await second.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            status, fields, _ = await third.response()
            assert (status, fields["retry-after"]) == (503, "1")
            assert await third.ended()
            assert server.counts.turned_away == {503: 1}
        await server.settled()
        assert server.counts.open == 0
        assert await server.is_fine()


async def test_connections_of_one_address() -> None:
    limits = bounds(connections_per_address=1, exempt_networks=())
    async with open_front(limits) as server:
        async with server.peer() as first, server.peer() as second:
            assert (await first.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
            assert (await second.response())[0] == 429
        await server.settled()
        assert await server.is_fine()
        assert server.counts.turned_away == {429: 1}


async def test_a_proxy_is_exempt() -> None:
    limits = bounds(connections_per_address=1)
    async with open_front(limits) as server, server.peer() as first, server.peer() as second:
        assert (await first.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200
        assert (await second.ask(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))[0] == 200


async def test_a_response_nobody_reads_is_given_up() -> None:
    async def big(request: Request) -> Response:
        return Response(body=b"x" * 3_000_000)

    async with (
        open_front(bounds(write_seconds=0.2), dispatch=big) as server,
        server.peer(receive_buffer=4096) as peer,
    ):
        await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await server.settled()


async def test_a_failing_dispatcher_ends_one_request() -> None:
    async def fail(request: Request) -> Response:
        if request.query:
            raise ExceptionGroup("several", [ValueError("a secret"), KeyError()])
        return await show(request)

    async with open_front(dispatch=fail) as server, server.peer() as peer:
        status, _, body = await peer.ask(b"GET /a?1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status == 500
        assert b"secret" not in body
        assert await server.is_fine()


async def test_clients_that_leave_in_the_middle() -> None:
    """At every point of a request, cleanly and by a reset; none leaves anything behind."""
    data = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n" + b"a" * 20
    async with open_front() as server:
        for size in range(0, len(data) + 1, 7):
            for reset in (False, True):
                async with server.peer() as peer:
                    await peer.send(data[:size])
                    _leave(peer, reset)
        await server.settled()
        assert server.counts.errors == 0
        assert await server.is_fine()


def _leave(peer: Peer, reset: bool) -> None:
    stream = peer.stream
    assert isinstance(stream, trio.SocketStream)
    if reset:
        linger = (1).to_bytes(4, "little") + bytes(4)
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, linger)
    stream.socket.close()
