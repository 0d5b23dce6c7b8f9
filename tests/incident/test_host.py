"""A Host field with a path, a query or a user in it poisons no address that the server builds."""

import json

import trio

from tests.serving.support import Peer
from tests.system.server import local_server

HOSTS = ("evil/x", "evil?x", "evil#x", "user@evil", "evil\\x", "evil:80:80", "evil x", "[::1", "", "é")
ASKED = (
    ("POST", "/login"),
    ("POST", "/rpc"),
    ("POST", "/init"),
    ("GET", "/alice/server"),
    ("GET", "/room/list"),
    ("GET", "/"),
    ("GET", "/health/ready"),
    ("GET", "/.well-known/change-password"),
)


async def test_a_host_is_a_name_and_a_port_at_every_door() -> None:
    body = json.dumps({"username": "ada", "password": "correct horse battery"}).encode()
    async with local_server() as (server, _):
        port = int(server.url.rpartition(":")[2])
        for host in HOSTS:
            for method, path in ASKED:
                sent = body if method == "POST" else b""
                lines = (
                    f"{method} {path} HTTP/1.1",
                    f"Host: {host}",
                    "Content-Type: application/json",
                    f"Content-Length: {len(sent)}",
                )
                peer = Peer(await trio.open_tcp_stream("127.0.0.1", port))
                status, fields, answer = await peer.ask(("\r\n".join(lines) + "\r\n\r\n").encode() + sent)
                await peer.aclose()
                assert status == 400, (host, path)
                assert b"evil" not in answer + str(fields).encode()


async def test_nor_does_the_field_of_a_proxy() -> None:
    """A host that a proxy passes on is checked like any other."""
    async with local_server(server={"trusted_proxies": ["127.0.0.1"]}) as (_, client):
        for host in HOSTS[:6]:
            fields = {"x-forwarded-for": "192.0.2.7", "x-forwarded-host": host, "x-forwarded-proto": "https"}
            answer = await client.get("/.well-known/change-password", headers=fields)
            assert answer.headers["location"] == "https://localhost/#password", host
