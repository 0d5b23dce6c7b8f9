"""Limits count by the client, not by the spelling of its address."""

import socket

import trio

from regserver.endpoint import Request, Response
from regserver.web.http.forwarded import ForwardedReader
from tests.security.test_forwarded_field import tried
from tests.serving.support import Peer, open_front
from tests.system.server import local_server
from tests.web.http.test_forwarded import spellings


async def test_every_spelling_of_a_client_is_one_allowance() -> None:
    limits = {"enabled": True, "routes": {"sign_in": "5/1h"}}
    async with local_server(server={"trusted_proxies": ["127.0.0.1"]}, limits=limits) as (_, client):
        statuses = [await tried(client, x_forwarded_for=text.strip()) for text in spellings()]
        assert statuses == [401] * 5 + [429] * (len(spellings()) - 5)


async def test_a_socket_of_both_families_names_an_ipv4_client_by_its_address() -> None:
    seen: list[str] = []

    async def show(request: Request) -> Response:
        seen.append(ForwardedReader([], "").requester(request).client)
        return Response()

    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    port, bind = both.getsockname()[1], f"fd://{both.detach()}"
    async with open_front(dispatch=show, binds=(bind, "127.0.0.1:0")) as front:
        for one in (port, int(front.urls[1].rpartition(":")[2])):
            peer = Peer(await trio.open_tcp_stream("127.0.0.1", one))
            await peer.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await peer.aclose()
    assert seen == ["127.0.0.1", "127.0.0.1"]
