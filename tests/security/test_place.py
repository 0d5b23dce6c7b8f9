"""Connections as a resource: where no place is left, the connection that has been idle for longest gives its own."""

import trio

from tests.serving.http2 import plain_http2
from tests.serving.support import bounds, open_front

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_the_longest_idle_gives_its_place() -> None:
    async with open_front(bounds(connections=3)) as server:
        async with server.peer() as first, server.peer() as second, server.peer() as busy:
            for peer in (first, second):
                assert (await peer.ask(GET))[0] == 200
                await trio.sleep(0.2)
            await busy.send(b"GET /a HTTP/1.1\r\nHo")  # is in the middle of a request
            await trio.sleep(1.3)
            assert (await second.ask(GET))[0] == 200  # no longer idle for long
            async with server.peer() as late:
                assert (await late.ask(GET))[0] == 200
                assert await first.ended()
                assert (await second.ask(GET))[0] == 200
                assert (await busy.ask(b"st: x\r\n\r\n"))[0] == 200
            assert server.counts.cut == {"idle": 1}
        await server.settled()


async def test_an_idle_connection_of_http2_gives_its_place_too() -> None:
    async with open_front(bounds(connections=1)) as server, plain_http2(server) as peer:
        assert (await peer.ask_http2("GET", "/a"))[0] == 200
        await trio.sleep(1.3)
        async with server.peer() as late:
            assert (await late.ask(GET))[0] == 200
        assert await peer.ended()


async def test_sockets_keep_their_places() -> None:
    async with open_front(bounds(connections=1)) as server, server.peer() as listener:
        await listener.upgrade("/listen")
        await trio.sleep(1.3)
        async with server.peer() as late:
            assert (await late.response())[0] == 503
