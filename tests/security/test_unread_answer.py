"""Clients that ask for much and do not read it: what the server holds for them is bounded in bytes and in time."""

import contextlib
import ssl
from collections.abc import AsyncIterator

import h2.events
import h2.settings
import pytest
import trio

from regserver.endpoint import Request, Response
from regserver.serving import FrontLimits
from tests.serving.http2 import Certificate, Http2Peer, plain_http2, text_of
from tests.serving.support import Peer, RunningFront, bounds, open_front, show

BODY = b"x" * 700_000
GET = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
SMALL = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


async def big(request: Request) -> Response:
    return Response(body=BODY) if request.path == "/big" else await show(request)


def tight(**changes: object) -> FrontLimits:
    """A budget that one answer fills."""
    budget = {"held_bytes_per_address": 800_000, "exempt_networks": (), "send_buffer_bytes": 16 * 1024}
    return bounds(**{**budget, **changes})


@contextlib.asynccontextmanager
async def unread(server: RunningFront) -> AsyncIterator[Peer]:
    """A client that has asked for much and reads nothing."""
    async with server.peer(receive_buffer=4096) as peer:
        await peer.send(GET)
        await server.until(lambda: server.front.held_bytes > 0)
        yield peer


async def test_one_network_gets_no_more_than_its_budget() -> None:
    async with open_front(tight(), dispatch=big) as server, server.peer() as other:
        async with unread(server):
            status, fields, _ = await other.ask(GET)
            assert (status, fields["retry-after"]) == (503, "1")
            assert (await other.ask(SMALL))[0] == 200
        await server.until(lambda: server.front.held_bytes == 0)
        assert (await other.ask(GET))[0] == 200


async def test_all_together_get_no_more_than_the_budget() -> None:
    """A full budget refuses everything, so that it can empty."""
    limits = tight(held_bytes=600_000, held_bytes_per_address=1 << 30)
    async with open_front(limits, dispatch=big) as server, server.peer() as other:
        status, fields, _ = await other.ask(GET)  # alone too long for the budget
        assert (status, fields["retry-after"]) == (503, "1")
    limits = tight(held_bytes=len(BODY), held_bytes_per_address=1 << 30)
    async with open_front(limits, dispatch=big) as server, server.peer() as other:
        async with unread(server):
            assert (await other.ask(SMALL))[0] == 503
            async with plain_http2(server) as peer:
                status, _, body = await peer.ask_http2("GET", "/a")
                assert (status, body) == (503, b'{"error":"Unavailable"}')
        await server.until(lambda: server.front.held_bytes == 0)
        assert (await other.ask(SMALL))[0] == 200


async def test_proxies_have_no_budget_of_their_own() -> None:
    limits = tight(exempt_networks=("127.0.0.0/8",))
    async with open_front(limits, dispatch=big) as server, unread(server), server.peer() as other:
        assert (await other.ask(GET))[0] == 200


@pytest.mark.parametrize("is_secure", [False, True])
async def test_a_reader_that_dribbles_is_cut(certificate: Certificate, is_secure: bool) -> None:
    """Progress alone is not enough: the whole answer has its time."""
    used = certificate if is_secure else None
    cert, key = used or ("", "")
    limits = tight(write_seconds=0.5, least_rate=1_000_000)
    async with open_front(limits, dispatch=big, tls_cert=cert, tls_key=key) as server:
        async with _reader(server, used) as stream:
            await stream.send_all(GET)
            with trio.fail_after(8), contextlib.suppress(trio.BrokenResourceError):
                await stream.receive_some(1000)
                for _ in range(100):
                    await trio.sleep(0.05)
                    if not await stream.receive_some(1000):
                        break
                else:
                    raise AssertionError("it dribbles on")
        await server.settled()
        assert server.front.held_bytes == 0


@contextlib.asynccontextmanager
async def _reader(server: RunningFront, certificate: Certificate | None) -> AsyncIterator[trio.abc.Stream]:
    """A client for whom the kernel keeps little."""
    async with server.peer(receive_buffer=4096) as peer:
        if certificate is None:
            yield peer.stream
            return
        context = ssl.create_default_context(cafile=certificate[0])
        stream = trio.SSLStream(peer.stream, context, server_hostname="localhost", https_compatible=True)
        await stream.do_handshake()
        yield stream


@contextlib.asynccontextmanager
async def _shut(server: RunningFront) -> AsyncIterator[Http2Peer]:
    """A client of HTTP/2 whose window is shut."""
    peer = Http2Peer(await trio.open_tcp_stream("127.0.0.1", server.port))
    peer.http.local_settings.update({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0})
    peer.http.local_settings.acknowledge()
    try:
        await peer.start()
        yield peer
    finally:
        await peer.aclose()


FIELDS = [(":method", "GET"), (":path", "/big"), (":scheme", "http"), (":authority", "x")]


async def test_a_shut_window_holds_an_answer_for_a_bounded_time() -> None:
    async with open_front(tight(write_seconds=0.3), dispatch=big) as server, _shut(server) as peer:
        await peer.open(FIELDS)
        await peer.next_event(h2.events.StreamReset)
        assert server.front.held_bytes == 0


async def test_many_streams_share_the_budget_of_their_connection() -> None:
    limits = tight(held_bytes_per_address=1 << 30, held_bytes_per_connection=1_500_000)
    async with open_front(limits, dispatch=big) as server, _shut(server) as peer:
        for _ in range(6):
            await peer.open(FIELDS)
        answers = [await peer.next_event(h2.events.ResponseReceived) for _ in range(6)]
        statuses = sorted(text_of(answer.headers)[":status"] for answer in answers)  # type: ignore[attr-defined]
        assert statuses == ["200", "200", "503", "503", "503", "503"]
        assert server.front.held_bytes <= 1_500_000
        await peer.aclose()
        await server.settled()
        assert server.front.held_bytes == 0
