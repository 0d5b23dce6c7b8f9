"""Bad and unfinished requests over HTTP/2: each is answered on its own stream, within the bounds of HTTP/1.1."""

import h2.events
import pytest

from regserver.endpoint import Request, Response
from regserver.serving import FrontLimits
from tests.serving.http2 import Fields, Http2Peer, plain_http2, text_of
from tests.serving.support import bounds, open_front

START = [(":method", "POST"), (":path", "/a"), (":scheme", "http"), (":authority", "x")]


def _fields(method: str = "GET", path: str = "/a", authority: str = "x", **more: str) -> Fields:
    pseudo = [(":method", method), (":path", path), (":scheme", "http"), (":authority", authority)]
    return [*pseudo, *more.items()]


async def _status(peer: Http2Peer) -> int:
    event = await peer.next_event(h2.events.ResponseReceived)
    assert isinstance(event, h2.events.ResponseReceived)
    return int(text_of(event.headers)[":status"])


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (400, _fields(path="/caf\xe9")),
        (400, _fields(path="http://x/a")),
        (400, _fields(path="*")),
        (400, _fields(path="/a#b")),
        (400, _fields(path="/a b")),
        (400, _fields(method="G\xcbT")),
        (400, _fields(method="get")),
        (400, [(":method", "CONNECT"), (":authority", "x:80")]),
        (400, _fields(authority="x/y?#")),
        (400, _fields(authority="a@x")),
        (400, _fields(x="\x01")),
        (414, _fields(path="/" + "a" * 9000)),
        (417, _fields(expect="more")),
        (431, _fields(x="a" * 17_000)),
        (431, [*_fields(), *[("x", "1")] * 101]),
        (501, [*_fields("CONNECT"), (":protocol", "something")]),
        (400, [*_fields("CONNECT"), (":protocol", "websocket")]),
    ],
)
async def test_a_bad_head_is_answered_on_its_stream(status: int, fields: Fields) -> None:
    fields.sort(key=lambda field: not field[0].startswith(":"))
    async with open_front() as server, plain_http2(server, is_strict=False) as peer:
        other = await peer.open(START, None)  # is under way meanwhile
        await peer.open(fields)
        assert await _status(peer) == status
        peer.http.end_stream(other)
        await peer.flush()
        assert await _status(peer) == 200
        assert server.counts.errors == 0
        assert server.counts.refused == {status: 1}


async def test_the_largest_head_is_taken() -> None:
    async with open_front() as server, plain_http2(server, is_strict=False) as peer:
        fields = [*_fields(path="/" + "a" * 8191), *[(f"x-{number}", "1" * 60) for number in range(100)]]
        await peer.open(fields)
        assert await _status(peer) == 200


async def test_unfinished_bodies_have_the_time_of_a_body() -> None:
    async with open_front(bounds(body_seconds=0.3)) as server, plain_http2(server, is_strict=False) as peer:
        for _ in range(5):
            number = await peer.open(START, None)
            peer.http.send_data(number, b"x" * 1000)
        await peer.flush()
        assert [await _status(peer) for _ in range(5)] == [408] * 5
        assert (await peer.ask_http2("GET", "/a"))[0] == 200
        assert server.front.held_bytes == 0


async def test_a_head_that_does_not_end_has_the_time_of_a_head() -> None:
    async with open_front(bounds(head_seconds=0.3)) as server, plain_http2(server, is_strict=False) as peer:
        await peer.send(b"\0\0\1\1\0\0\0\0\1\x82")  # HEADERS without END_HEADERS
        await peer.next_event(h2.events.ConnectionTerminated)
        await server.settled()


async def test_a_connection_holds_few_unfinished_bodies() -> None:
    async with (
        open_front(bounds(http2_body_bytes=100_000)) as server,
        plain_http2(server, is_strict=False) as peer,
    ):
        numbers = [await peer.open(START, None) for _ in range(20)]
        for number in numbers:
            peer.http.send_data(number, b"x" * 10_000)
            await peer.flush()
        assert [await _status(peer) for _ in range(10)] == [503] * 10
        assert server.front.held_bytes == 100_000
        for number in numbers[:10]:
            peer.http.end_stream(number)
        await peer.flush()
        assert [await _status(peer) for _ in range(10)] == [200] * 10


async def test_the_limit_is_asked_before_the_body() -> None:
    def admit(request: Request) -> Response | None:
        return Response(status=429) if request.path == "/limited" else None

    async with open_front(admit=admit) as server, plain_http2(server, is_strict=False) as peer:
        await peer.open(_fields("POST", "/limited"), None)
        assert await _status(peer) == 429
        assert (await peer.ask_http2("POST", "/a", b"abc"))[0] == 200


async def test_a_client_may_wait_to_be_told_to_go_on() -> None:
    async with open_front() as server, plain_http2(server, is_strict=False) as peer:
        number = await peer.open(_fields("POST", expect="100-continue"), None)
        await peer.next_event(h2.events.InformationalResponseReceived)
        peer.http.send_data(number, b"abc", end_stream=True)
        await peer.flush()
        assert await _status(peer) == 200


async def test_http2_can_be_switched_off() -> None:
    async with open_front(FrontLimits(http2_streams=0, linger_seconds=0.1)) as server:
        async with server.peer() as peer:
            assert (await peer.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))[0] == 505
        assert await server.is_fine()
