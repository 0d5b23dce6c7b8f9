"""Forms of a request that some clients use: the absolute form of a target, and a reason phrase that they read."""

import pytest

from tests.serving.support import open_front, upgrade


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("http://other.example/health?x=1", "/health", "x=1", "other.example"),
        ("HTTPS://other.example:8443/a%20b", "/a b", "", "other.example:8443"),
        ("http://other.example", "/", "", "other.example"),
        ("http://other.example?x=/", "/", "x=/", "other.example"),
        ("http://[::1]:80/", "/", "", "[::1]:80"),
    ],
)
async def test_the_absolute_form_is_taken(target: str, path: str, query: str, host: str) -> None:
    async with open_front() as server, server.peer() as peer:
        status, _, body = await peer.ask(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert status == 200
        assert repr((path, query, [("host", host)]))[1:-1].encode() in body


async def test_a_socket_may_be_asked_for_in_absolute_form() -> None:
    async with open_front() as server, server.peer() as peer:
        await peer.send(upgrade("http://x/echo"))
        assert b" 101 " in await peer.read_head()


async def test_every_status_has_its_phrase() -> None:
    async with open_front() as server, server.peer() as peer:
        await peer.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await peer.read_head()).startswith(b"HTTP/1.1 200 OK\r\n")
    async with open_front() as server, server.peer() as peer:
        await peer.send(b"GET a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await peer.read_head()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
