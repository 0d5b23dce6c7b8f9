"""WebSockets over HTTP/2 against peers that read nothing, say nothing, or break the protocol: as over HTTP/1.1."""

import contextlib
from collections.abc import AsyncIterator

import h2.events
import h2.settings
import pytest
import trio

from tests.serving.http2 import Http2Peer, Http2Socket, plain_http2
from tests.serving.support import Room, RunningFront, bounds, client_frame, open_front


@contextlib.asynccontextmanager
async def _connected(server: RunningFront, path: str) -> AsyncIterator[tuple[Http2Peer, Http2Socket]]:
    async with plain_http2(server) as peer:
        sock = await peer.connect(path)
        assert (await sock.status())[0] == 200
        yield peer, sock


async def test_a_shut_window_closes_the_socket_at_its_bound() -> None:
    room = Room()
    async with (
        open_front(bounds(close_seconds=0.2), sockets={"/room": room}) as server,
        _connected(server, "/room") as (peer, _),
    ):
        peer.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        await peer.flush()
        await peer.next_event(h2.events.SettingsAcknowledged)
        sent = 0
        while room.sessions[0].send_text_nowait("x" * 10_000):
            sent += 10_000
            await trio.lowlevel.checkpoint()
        assert sent <= 256 * 1024 + 64 * 1024  # what waits, and what the first window took
        await peer.next_event(h2.events.StreamReset)
        await room.ended.wait()
        assert server.counts.closed == {1013: 1}
        assert server.front.held_bytes == 0
        assert (await peer.ask_http2("HEAD", "/a"))[0] == 200


async def test_what_waits_for_sockets_is_in_the_budget() -> None:
    room = Room()
    limits = bounds(close_seconds=0.2, held_bytes_per_connection=50_000)
    async with (
        open_front(limits, sockets={"/room": room}) as server,
        _connected(server, "/room") as (peer, _),
    ):
        peer.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
        await peer.flush()
        await peer.next_event(h2.events.SettingsAcknowledged)
        for _ in range(40):
            room.sessions[0].send_text_nowait("x" * 5_000)
            await trio.lowlevel.checkpoint()
            assert server.front.held_bytes < 60_000
        await room.ended.wait()
        assert server.counts.closed == {1013: 1}


@pytest.mark.parametrize(
    ("code", "data"),
    [
        (1002, b"\x81\x02hi"),  # not masked
        (1002, b"\xc1\x80\0\0\0\0"),  # a reserved bit
        (1002, client_frame(b"x", 3)),
        (1002, client_frame(b"x", 9, fin=False)),
        (1002, b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126),
        (1007, client_frame(b"\xff\xfe")),
        (1009, client_frame(b"x" * 12_000)),
        (1009, client_frame(b"x" * 9_000, fin=False) + client_frame(b"x" * 9_000, 0)),
        (1002, b"\x82\xff\xc0\0\0\0\0\0\0\0\0\0\0\0"),
    ],
)
async def test_who_breaks_the_protocol_gets_a_close(code: int, data: bytes) -> None:
    async with (
        open_front(bounds(message_bytes=10_000)) as server,
        _connected(server, "/listen") as (peer, sock),
    ):
        for first in range(0, len(data), 16_000):
            await sock.send(data[first : first + 16_000])
        assert await sock.close_code() == code
        assert (await peer.ask_http2("GET", "/a"))[0] == 200


async def test_a_silent_peer_is_given_up() -> None:
    async with (
        open_front(bounds(ping_seconds=0.4, pong_seconds=0.3)) as server,
        _connected(server, "/listen") as (peer, _),
    ):
        await peer.next_event(h2.events.StreamReset)
        await server.until(lambda: server.counts.sessions == 0)
        assert server.counts.closed == {1006: 1}
