"""Frames of HTTP/2 that carry nothing, without end: the connection ends with ENHANCE_YOUR_CALM, and nobody else notices."""

import h2.errors
import h2.events
import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regserver.serving.http2_meter import Flood, FrameMeter
from tests.serving.http2 import Http2Peer, plain_http2
from tests.serving.support import open_front

FIELDS = [(":method", "POST"), (":path", "/a"), (":scheme", "http"), (":authority", "x")]


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


FLOODS = {
    "settings": frame(4),
    "settings that change the window": frame(4, payload=b"\0\4\0\0\x40\0" + b"\0\4\0\0\x40\1"),
    "ping": frame(6, payload=b"12345678"),
    "window update": frame(8, payload=b"\0\0\0\1"),
    "empty data": frame(0, 1),
    "data of one byte": frame(0, 1, b"x"),
    "priority": frame(2, 3, b"\0\0\0\0\x10"),
    "unknown": frame(0x42, payload=b"x"),
}


async def _calmed(peer: Http2Peer) -> bool:
    """Whether the connection ends with ENHANCE_YOUR_CALM."""
    event = await peer.next_event(h2.events.ConnectionTerminated)
    assert isinstance(event, h2.events.ConnectionTerminated)
    return event.error_code == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_is_ended(kind: str) -> None:
    async with open_front() as server, plain_http2(server) as peer:
        await peer.open(FIELDS, None)
        await peer.send(FLOODS[kind] * 3000)
        assert await _calmed(peer)
        assert server.counts.cut == {"flood": 1}
        assert await server.is_fine()


async def test_requests_that_are_reset_at_once_are_a_flood() -> None:
    async with open_front() as server, plain_http2(server) as peer:
        for _ in range(300):
            number = peer.http.get_next_available_stream_id()
            peer.http.send_headers(number, FIELDS)
            peer.http.reset_stream(number)
        await peer.flush()
        assert await _calmed(peer)
        assert await server.is_fine()


BOMB = hpack.Encoder().encode([(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "x")])
FATAL = {
    "empty continuation": frame(1, 1, BOMB) + frame(9, 1) * 300,
    "a head of heads": frame(1, 1, BOMB + b"\x40\x01x\x7f\x81\x1e" + b"y" * 4000 + b"\xbe" * 4000, 5),
    "two connections' worth of streams": b"".join(frame(1, 1 + 2 * n, BOMB, 4) for n in range(101)),
    "a frame too long": b"\xff\xff\xff\0\0\0\0\0\1",
    "data before a head": frame(0, 1, b"x"),
    "an even stream": frame(1, 2, BOMB, 5),
    "a field in upper case": frame(1, 1, BOMB + b"\0\1X\1y", 5),
    "a line break in a field": frame(1, 1, BOMB + b"\0\1x\2\r\n", 5),
    "a pseudo field at the end": frame(1, 1, BOMB + b"\0\1x\1y\0\5:path\1/", 5),
    "two lengths": frame(1, 1, BOMB + b"\0\x0econtent-length\1" + b"1", 4) + frame(0, 1, b"xy", 1),
    "a coding of the hop": frame(1, 1, BOMB + b"\0\x11transfer-encoding\7chunked", 5),
}


@pytest.mark.parametrize("kind", FATAL)
async def test_what_no_client_sends_ends_its_connection(kind: str) -> None:
    async with open_front() as server, plain_http2(server) as peer:
        await peer.send(FATAL[kind])
        event = await peer.next_event(h2.events.ConnectionTerminated)
        assert isinstance(event, h2.events.ConnectionTerminated)
        assert event.error_code
        assert await server.is_fine()
        assert server.counts.errors == 0


async def test_many_requests_on_one_connection_are_all_answered() -> None:
    """And a WebSocket beside them goes on; a client acknowledges and cancels some of what it is sent."""
    async with open_front() as server, plain_http2(server) as peer:
        sock = await peer.connect("/echo")
        assert (await sock.status())[0] == 200
        for number in range(1500):
            status, _, body = await peer.ask_http2("GET", f"/{number}")
            assert (status, f"'/{number}'".encode() in body) == (200, True)
        from_here = peer.http.get_next_available_stream_id()
        for _ in range(150):
            peer.http.reset_stream(await peer.open(FIELDS, None))
            await peer.flush()
        assert from_here > 3000
        assert (await peer.ask_http2("GET", "/last"))[0] == 200


FRAMES = st.lists(
    st.builds(frame, st.integers(0, 12), st.integers(0, 9), st.binary(max_size=300), st.integers(0, 255)),
    max_size=20,
)


@given(FRAMES, st.lists(st.integers(1, 50), max_size=30))
def test_frames_are_found_wherever_the_bytes_are_cut(frames: list[bytes], cuts: list[int]) -> None:
    whole, pieces = FrameMeter(0, lambda: 0.0), FrameMeter(0, lambda: 0.0)
    data = b"".join(frames)
    whole.feed(data)
    assert not whole.is_midway or whole.has_open_head
    at = 0
    for cut in [*cuts, len(data)]:
        pieces.feed(data[at : at + cut])
        at += cut
    assert pieces._levels == whole._levels
    assert pieces.has_open_head == whole.has_open_head


def test_a_client_may_send_a_few_a_second_for_ever() -> None:
    now = 0.0
    meter = FrameMeter(0, lambda: now)
    for _ in range(5000):
        now += 0.11
        meter.feed(FLOODS["ping"])
    with pytest.raises(Flood):
        meter.feed(FLOODS["ping"] * 201)


def test_a_client_may_acknowledge_what_it_is_sent() -> None:
    meter = FrameMeter(0, lambda: 0.0)
    for _ in range(1000):
        meter.sent(16 * 1024)
        meter.feed(FLOODS["window update"] * 8)
    with pytest.raises(Flood):
        meter.feed(FLOODS["window update"] * 10_500)
