"""The proxies of docs/proxy.md, run with the document's own snippets in front of the started server."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from tests.peer.proxy import PROXIES, Place, free_port, running_proxy
from tests.serving.conftest import certificate
from tests.serving.support import Peer, upgrade
from tests.system.server import Server, open_server

__all__ = ["certificate"]

CLIENT = "127.0.0.2"
"""Where the tests come from, so that the client is not the proxy; the whole of 127.0.0.0/8 is loopback."""
FORGED = {
    "forwarded": "for=6.6.6.6;host=evil.example;proto=http",
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-real-ip": "6.6.6.6",
    "cf-connecting-ip": "6.6.6.6",
}


class Site:
    """A proxy with the server behind it, and a client of both."""

    def __init__(self, server: Server, client: httpx.AsyncClient, port: int, context: ssl.SSLContext) -> None:
        self.server = server
        self.client = client
        self.port = port
        self._context = context

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Peer]:
        """A connection for raw bytes."""
        plain = await trio.open_tcp_stream("127.0.0.1", self.port, local_address=CLIENT)
        stream = trio.SSLStream(plain, self._context, server_hostname="localhost", https_compatible=True)
        try:
            yield Peer(stream)
        finally:
            await trio.aclose_forcefully(stream)

    async def seen(self, path: str) -> str:
        """The client's address in the line of a request to this route."""
        line = await self.server.wait_line(lambda line: line["message"].endswith(path) and "client" in line)
        return str(line["client"])


@pytest.fixture(params=PROXIES)
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: tuple[str, str]
) -> AsyncIterator[Site]:
    tmp_path.chmod(0o755)
    port, server_port = free_port(), free_port()
    settings = [f"server.bind=127.0.0.1:{server_port}", "server.trusted_proxies=127.0.0.1"]
    place = Place(tmp_path, port, server_port, *certificate)
    context = ssl.create_default_context(cafile=certificate[0])
    transport = httpx.AsyncHTTPTransport(verify=context, local_address=CLIENT)
    async with open_server(tmp_path, settings) as server, running_proxy(request.param, place):
        base = f"https://localhost:{port}"
        async with httpx.AsyncClient(transport=transport, base_url=base, timeout=20) as client:
            yield Site(server, client, port, context)


async def test_client_scheme_and_host_are_the_true_ones(site: Site) -> None:
    body = {"username": "ada", "password": "correct horse battery"}
    answer = await site.client.post("/login", json=body, headers=FORGED)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"wss://localhost:{site.port}/register/u-")
    assert await site.seen("POST /login") == CLIENT


async def test_sockets_go_through(site: Site) -> None:
    async with site.connect() as peer:
        host = f"localhost:{site.port}".encode()
        await peer.send(upgrade("/room/websocket").replace(b"Host: x", b"Host: " + host))
        assert b" 101 " in await peer.read_head()
        assert await peer.frame() == (1, b"MissingToken")
        assert await peer.close_code() == 1008


async def test_event_streams_come_as_they_are_written(site: Site) -> None:
    """When the first one is here, the registration still runs."""
    body = {"username": "grace", "password": "nanosecond wire"}
    location = (await site.client.post("/login", json=body)).json()["location"]
    path = f"/register/{location.rpartition('/')[2]}/events"
    events: list[str] = []
    async with site.client.stream("GET", path) as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                events.append(json.loads(line.removeprefix("data: "))["eventType"])
                if len(events) == 1:
                    assert (await site.client.post("/login", json=body)).status_code == 303
    assert (events[0], events[-1]) == ("INFORMATION", "AUTHENTICATION")


METRICS = (
    "/metrics", "/metrics/", "/metrics//", "/metrics%2f", "/metrics%2F%2f", "/%6detrics", "//metrics", "/x/../metrics",
)  # fmt: skip


async def test_metrics_are_hidden(site: Site) -> None:
    for path in METRICS:
        async with site.connect() as peer:
            head = f"GET {path} HTTP/1.1\r\nHost: localhost:{site.port}\r\nConnection: close\r\n\r\n"
            await peer.send(head.encode())
            status = (await peer.read_head()).split(b" ")[1]
            await peer.ended()
            assert status in {b"301", b"308", b"400", b"403", b"404"}, path
            assert b"regserver_" not in peer.buffer, path
