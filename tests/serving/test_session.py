"""Sessions on sockets: handshake, messages, bounds, and all their ends."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
import trio
import trio.testing

from regserver.endpoint import Frame, Response, SessionClosed, SocketSession
from regserver.serving import SessionCore, receive_text, text_frame
from tests.serving.support import (
    ACCEPT,
    KEY,
    Room,
    bounds,
    client_frame,
    close_payload,
    open_front,
    upgrade,
)

QUICK = bounds(close_seconds=0.2, accept_seconds=0.2)


async def test_echo_of_every_size() -> None:
    async with open_front(bounds(message_bytes=1 << 20)) as server, server.peer() as peer:
        head = await peer.upgrade()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert ACCEPT in head
        assert b"extensions" not in head.lower()
        for size in (0, 1, 125, 126, 127, 65535, 65536, 200_000):
            await peer.send(client_frame(b"a" * size, 1))
            assert await peer.frame() == (1, b"a" * size)
            await peer.send(client_frame(b"\xff" * size, 2))
            assert await peer.frame() == (2, b"\xff" * size)
        await peer.send(close_payload(1000))
        assert await peer.close_code() == 1000
        assert await peer.ended()
        await server.settled()
        assert server.counts.closed == {1000: 1}


async def test_fragments_pings_and_pongs() -> None:
    async with open_front() as server, server.peer() as peer:
        await peer.upgrade()
        await peer.send(client_frame("h\u00e9".encode()[:2], 1, fin=False) + client_frame(b"p", 9))
        assert await peer.frame() == (10, b"p")
        await peer.send(client_frame(b"", 0, fin=False) + client_frame(b"x", 10))
        await peer.send(client_frame("h\u00e9".encode()[2:], 0))
        assert await peer.frame() == (1, "h\u00e9".encode())


async def test_frames_behind_the_handshake() -> None:
    async with open_front() as server, server.peer() as peer:
        await peer.upgrade(early=client_frame(b"early") + client_frame(b"late")[:3])
        assert await peer.frame() == (1, b"early")
        await peer.send(client_frame(b"late")[3:])
        assert await peer.frame() == (1, b"late")


async def test_late_upgrade_on_a_kept_alive_connection() -> None:
    """As a proxy with upstream keep-alive does, even without waiting for the answers of the requests before it."""
    async with open_front() as server:
        request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        async with server.peer() as peer:
            for _ in range(3):
                assert (await peer.ask(request))[0] == 200
            assert b"101" in await peer.upgrade(early=client_frame(b"x"))
            assert await peer.frame() == (1, b"x")
        async with server.peer() as peer:
            await peer.send(request + upgrade() + client_frame(b"x"))
            assert (await peer.response())[0] == 200
            assert b"101" in await peer.read_head()
            assert await peer.frame() == (1, b"x")


@pytest.mark.parametrize(
    ("status", "raw"),
    [
        (426, upgrade().replace(b"Version: 13", b"Version: 8")),
        (426, upgrade().replace(b"Sec-WebSocket-Version: 13\r\n", b"")),
        (400, upgrade().replace(KEY.encode(), b"short")),
        (400, upgrade().replace(KEY.encode(), b"!" * 24)),
        (400, upgrade().replace(b"Sec-WebSocket-Key", b"X")),
        (400, upgrade("/echo", "Content-Length: 2") + b"hi"),
        (400, upgrade("/echo", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        (400, upgrade().replace(b"Host: x\r\n", b"")),
        (200, upgrade("/nowhere")),  # no session there: an ordinary request
        (200, upgrade().replace(b"keep-alive, Upgrade", b"keep-alive")),
        (200, upgrade().replace(b"HTTP/1.1", b"HTTP/1.0")),
        (200, upgrade().replace(b"GET", b"POST")),
        (200, upgrade().replace(b"Upgrade: websocket", b"Upgrade: h2c")),
    ],
)
async def test_what_is_no_handshake(status: int, raw: bytes) -> None:
    async with open_front() as server, server.peer() as peer:
        answer = await peer.ask(raw)
        assert answer[0] == status
        if status == 426:
            assert answer[1]["sec-websocket-version"] == "13"
        assert server.counts.sessions == 0


async def test_request_of_a_session() -> None:
    seen = []

    async def look(session: SocketSession) -> None:
        seen.append(session.request)
        session.accept_nowait()

    async with open_front(sockets={"/lo ok": look}) as server, server.peer() as peer:
        await peer.send(upgrade("/lo%20ok?a=%20", "X-A: 1", "x-a: 2"))
        await peer.read_head()
        assert await peer.close_code() == 1000
        (request,) = seen
        assert (request.method, request.path, request.query) == ("GET", "/lo ok", "a=%20")
        assert (request.headers["x-a"], request.peer, request.scheme) == ("1, 2", "127.0.0.1", "http")
        assert not {"upgrade", "connection", "sec-websocket-key"} & set(request.headers)


async def test_rejection_is_an_ordinary_response() -> None:
    async def reject(session: SocketSession) -> None:
        assert session.send_text_nowait("early")  # queued, and dropped by the rejection
        session.reject_nowait(Response(status=403, body=b"no", content_type="text/plain"))
        session.accept_nowait()  # too late: nothing happens
        assert not session.send_text_nowait("lost")

    async with open_front(sockets={"/no": reject}) as server, server.peer() as peer:
        status, fields, body = await peer.ask(upgrade("/no"))
        assert (status, fields["connection"], body) == (403, "close", b"no")
        assert await peer.ended()
        assert server.counts.closed == {}


async def _neither(session: SocketSession) -> None:
    await trio.lowlevel.checkpoint()


async def _fails_early(session: SocketSession) -> None:
    raise ValueError


async def _waits(session: SocketSession) -> None:
    await trio.sleep_forever()


async def _closes_early(session: SocketSession) -> None:
    session.close_nowait(1008)


@pytest.mark.parametrize(
    ("endpoint", "status", "name"),
    [
        (_neither, 500, "InternalError"),
        (_fails_early, 500, "InternalError"),
        (_waits, 503, "Unavailable"),
        (_closes_early, 403, "Forbidden"),
    ],
)
async def test_handshake_that_is_not_accepted(
    endpoint: Callable[[SocketSession], Awaitable[None]], status: int, name: str
) -> None:
    async with open_front(QUICK, sockets={"/x": endpoint}) as server, server.peer() as peer:
        answer, _, body = await peer.ask(upgrade("/x"))
        assert (answer, msgspec.json.decode(body)) == (status, {"error": name})
        assert await peer.ended()
        assert server.counts.sessions == 0
        assert await server.is_fine()


async def test_frames_sent_before_the_answer_follow_it() -> None:
    async def early(session: SocketSession) -> None:
        assert session.send_text_nowait("first")
        await trio.lowlevel.checkpoint()
        session.accept_nowait()
        session.send_text_nowait("second")

    async with open_front(sockets={"/x": early}) as server, server.peer() as peer:
        assert b"101" in await peer.upgrade("/x")
        assert [await peer.frame(), await peer.frame()] == [(1, b"first"), (1, b"second")]
        assert await peer.close_code() == 1000


async def _crash(session: SocketSession) -> None:
    session.accept_nowait()
    async with trio.open_nursery() as nursery:  # a group of a Cancelled and an error

        async def fail() -> None:
            raise KeyError

        nursery.start_soon(fail)
        nursery.start_soon(trio.sleep_forever)


async def _returns(session: SocketSession) -> None:
    session.accept_nowait()


async def _closes(session: SocketSession) -> None:
    session.accept_nowait()
    session.close_nowait(4001, "é" * 100)
    session.close_nowait(4002)  # only the first counts
    assert not session.send_text_nowait("too late")
    with pytest.raises(SessionClosed):
        await session.receive()


@pytest.mark.parametrize(("endpoint", "code"), [(_crash, 1011), (_returns, 1000), (_closes, 4001)])
async def test_close_codes_of_endpoints(
    endpoint: Callable[[SocketSession], Awaitable[None]], code: int
) -> None:
    async with open_front(sockets={"/x": endpoint}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        assert await peer.close_code() == code
        await peer.send(close_payload(code))
        assert await peer.ended()
        await server.settled()
        assert server.counts.closed == {code: 1}
        assert await server.is_fine()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (client_frame(b"hi", 3), 1002),  # unknown opcode
        (b"\xc1\x80\0\0\0\0", 1002),  # reserved bit: compression was not agreed on
        (client_frame(b"x", 0), 1002),  # continues nothing
        (client_frame(b"x", 9, fin=False), 1002),  # control frame in pieces
        (client_frame(b"a" * 126, 9), 1002),  # control frame too long
        (client_frame(b"x", 1, fin=False) + client_frame(b"x", 1), 1002),
        (close_payload(1005), 1002),
        (close_payload(999), 1002),
        (client_frame(b"\x03", 8), 1002),  # half a code
        (client_frame(b"\xff", 1), 1007),
        (client_frame(b"\x03\xe8\xff", 8), 1007),
        (client_frame(b"a" * 101, 2), 1009),
        (client_frame("é".encode() * 51, 1), 1009),
        (client_frame(b"a" * 60, 2, fin=False) + client_frame(b"a" * 60, 0), 1009),
        (b"\x82\xff" + b"\x00\x00\x01\x00\x00\x00\x00\x00" + bytes(4) + b"a" * 101, 1009),
        (client_frame(b"", 8), 1005),
        (close_payload(1000), 1000),
        (close_payload(4999), 4999),
    ],
)
async def test_close_codes_of_peers(raw: bytes, code: int) -> None:
    async with open_front(bounds(message_bytes=100)) as server, server.peer() as peer:
        await peer.upgrade()
        await peer.send(raw)
        assert await peer.close_code() == code
        assert await peer.ended()
        await server.settled()
        assert server.counts.closed == {code: 1}


async def test_text_only() -> None:
    heard: list[str] = []

    async def read(session: SocketSession) -> None:
        session.accept_nowait()
        while True:
            heard.append(await receive_text(session))

    async with open_front(sockets={"/x": read}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        await peer.send(client_frame(b"text", 1) + client_frame(b"bytes", 2) + client_frame(b"more", 1))
        assert await peer.close_code() == 1003
        await peer.send(close_payload(1003))
        assert await peer.ended()
        await server.settled()
        assert heard == ["text"]
        assert server.counts.closed == {1003: 1}
        assert server.counts.errors == 0


async def test_lost_peers() -> None:
    async with open_front() as server:
        for _ in range(3):
            async with server.peer() as peer:
                await peer.upgrade("/listen")
        await server.settled()
        assert server.counts.closed == {1006: 3}
        assert server.counts.sessions == 0


async def test_peer_that_never_answers_a_close() -> None:
    async with open_front(QUICK, sockets={"/x": _returns}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        await server.settled()


async def test_close_from_another_task() -> None:
    room = Room()
    async with open_front(sockets={"/x": room}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        room.sessions[0].send_text_nowait("last words")
        room.sessions[0].close_nowait(1008, "why")
        assert await peer.frame() == (1, b"last words")
        assert await peer.frame() == (8, b"\x03\xf0why")
        await peer.send(close_payload(1008))
        assert await peer.ended()
        assert room.codes == [1008]


async def test_slow_reader_is_closed_with_1013_in_whole_frames() -> None:
    """The stream stays valid to the end: whole frames in order, then the Close."""
    room = Room()
    limits = bounds(queue_bytes=64 * 1024, send_buffer_bytes=16 * 1024, close_seconds=5)
    async with open_front(limits, sockets={"/x": room}) as server, server.peer(receive_buffer=4096) as peer:
        await peer.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        (session,) = room.sessions
        sent = 0
        while session.send_nowait(text_frame(b"%06d" % sent + b"x" * 1000)):
            sent += 1
            assert sent < 10_000
        assert not session.send_text_nowait("no more")
        opcode, payload = await peer.frame()
        received = 0
        while opcode != 8:
            assert payload == b"%06d" % received + b"x" * 1000
            received += 1
            opcode, payload = await peer.frame()
        assert payload == b"\x03\xf5too slow"
        assert 0 < received <= sent
        assert sent * 1006 < 64 * 1024 + 512 * 1024  # what the two kernels hold is bounded too
        await peer.send(close_payload(1013))
        assert await peer.ended()
        await server.settled()
        assert server.counts.closed == {1013: 1}


async def test_slow_reader_that_never_reads_is_dropped() -> None:
    room = Room()
    limits = bounds(queue_bytes=4096, close_seconds=0.2)
    async with open_front(limits, sockets={"/x": room}) as server, server.peer(receive_buffer=4096) as peer:
        await peer.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        while room.sessions[0].send_nowait(text_frame(b"x" * 1000)):
            pass
        await server.settled()
        assert server.counts.closed == {1013: 1}


async def test_backlog_is_delivered_when_the_peer_reads_again() -> None:
    """More than the kernel takes but less than the bound; then the socket is written to directly again."""
    room = Room()
    limits = bounds(queue_bytes=8 << 20)
    async with open_front(limits, sockets={"/x": room}) as server, server.peer(receive_buffer=4096) as peer:
        await peer.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        (session,) = room.sessions
        assert isinstance(session, SessionCore)
        for number in range(4000):
            assert session.send_nowait(text_frame(b"%05d" % number + b"x" * 1000))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.drained)
            for number in range(4000):
                assert await peer.frame() == (1, b"%05d" % number + b"x" * 1000)
        assert session.send_text_nowait("again")
        assert await peer.frame() == (1, b"again")


async def test_sending_to_a_lost_peer_ends_the_session() -> None:
    ended = trio.Event()

    async def busy(session: SocketSession) -> None:  # never reads, so only the writing can notice
        session.accept_nowait()
        try:
            while True:
                session.send_text_nowait("x")
                await trio.sleep(0.001)
        finally:
            ended.set()

    async with open_front(sockets={"/x": busy}) as server:
        async with server.peer() as peer:
            await peer.upgrade("/x")
        with trio.fail_after(5):
            await ended.wait()
        await server.settled()
        assert server.counts.closed == {1006: 1}


async def test_receive_does_not_read_ahead() -> None:
    """Back-pressure: while the endpoint is busy, the peer cannot send more than the kernel holds."""
    go_on = trio.Event()
    got: list[int] = []

    async def lazy(session: SocketSession) -> None:
        session.accept_nowait()
        await go_on.wait()
        while True:
            got.append(len(await session.receive()))

    async with open_front(sockets={"/x": lazy}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        sent = 0
        with trio.move_on_after(0.3) as scope:
            while True:
                await peer.send(client_frame(b"x" * 60000, 2))
                sent += 1
        assert scope.cancelled_caught
        assert sent < 1000
        assert got == []
        go_on.set()
        with trio.fail_after(5):
            while sum(got) < sent * 60000:
                await trio.testing.wait_all_tasks_blocked(0.005)


async def test_pings_find_the_dead_and_spare_the_living() -> None:
    limits = bounds(ping_seconds=0.6, pong_seconds=0.5)
    async with open_front(limits) as server, server.peer() as dead, server.peer() as living:
        await dead.upgrade("/listen")
        await living.upgrade("/listen")
        for _ in range(3):
            opcode, payload = await living.frame()
            assert opcode == 9
            await living.send(client_frame(payload, 10))
        assert await dead.ended()
        assert server.counts.closed == {1006: 1}
        assert server.front.sessions == 1


async def test_endpoint_is_cancelled_when_the_peer_does_not_close() -> None:
    cancelled = trio.Event()
    sessions: list[SocketSession] = []

    async def stubborn(session: SocketSession) -> None:
        session.accept_nowait()
        sessions.append(session)
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async with open_front(QUICK, sockets={"/x": stubborn}) as server, server.peer() as peer:
        await peer.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        sessions[0].close_nowait(4000)
        with trio.fail_after(5):
            await cancelled.wait()
        await server.settled()


async def test_one_frame_for_many() -> None:
    room = Room()
    async with open_front(sockets={"/x": room}) as server, server.peer() as first, server.peer() as second:
        await first.upgrade("/x")
        await second.upgrade("/x")
        await trio.testing.wait_all_tasks_blocked()
        frame = text_frame("to all")
        assert [session.send_nowait(frame) for session in room.sessions] == [True, True]
        assert await first.frame() == await second.frame() == (1, b"to all")
        assert isinstance(Frame(frame), bytes)
