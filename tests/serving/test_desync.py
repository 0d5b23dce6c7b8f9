"""Requests on which nginx and the server might disagree: whatever is sent, the next clients get their own answers.

nginx keeps one connection to the server, and does not collect bodies first; bytes that one side took for a body and the other
for a request would answer the request of somebody else.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset

from tests.serving.http2 import Fields, Http2Peer
from tests.serving.support import Peer, RunningFront, open_front
from tests.serving.test_nginx import connect, nginx, own_port
from tests.serving.test_smuggling import ACCEPTED, REFUSED

__all__ = ["nginx", "own_port"]

CONFIG = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_header_timeout 1s; client_body_timeout 1s; lingering_timeout 1s; ignore_invalid_headers off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; underscores_in_headers on;
  upstream regserver {{ server 127.0.0.1:{port}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{own}{http2};
    location / {{
      proxy_pass http://regserver; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header Connection ""; proxy_request_buffering off; proxy_read_timeout 2s;
    }}
  }}
}}
"""
INNER = b"GET /smuggled HTTP/1.1\r\nHost: x\r\nX-Rest: "
POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
EMPTY = b"0\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n"
MORE = {
    "length over chunks": POST + LENGTH % (len(EMPTY) + len(INNER)) + CHUNKED + b"\r\n" + EMPTY + INNER,
    "chunks over length": POST + CHUNKED + LENGTH % 4 + b"\r\n29\r\n" + INNER[:41] + b"\r\n0\r\n\r\n",
    "coding after a space": POST + LENGTH % len(EMPTY) + b"Transfer-Encoding : chunked\r\n\r\n" + EMPTY + INNER,
    "coding after a tab": POST + LENGTH % len(EMPTY) + b"Transfer-Encoding:\tchunked\r\n\r\n" + EMPTY + INNER,
    "coding in a fold": POST + LENGTH % len(EMPTY) + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n" + EMPTY + INNER,
    "coding in quotes": POST + LENGTH % len(EMPTY) + b'Transfer-Encoding: "chunked"\r\n\r\n' + EMPTY + INNER,
    "coding with an underscore": POST + LENGTH % 5 + b"Transfer_Encoding: chunked\r\n\r\n" + EMPTY + INNER,
    "length with an underscore": POST + b"Content_Length: 60\r\n\r\n" + INNER,
    "length of the hop": POST + LENGTH % 3 + b"Connection: content-length\r\n\r\nabc" + INNER,
    "length of a GET": b"GET /a HTTP/1.1\r\nHost: x\r\n" + LENGTH % len(INNER) + b"\r\n" + INNER,
    "length of a HEAD": b"HEAD /a HTTP/1.1\r\nHost: x\r\n" + LENGTH % len(INNER) + b"\r\n" + INNER,
    "upgrade with a body": POST + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + LENGTH % len(INNER) + b"\r\n" + INNER,
    "socket that is none": b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 9\r\n\r\n" + INNER,
    "expectation": POST + b"Expect: 100-continue\r\n" + LENGTH % len(INNER) + b"\r\n" + INNER,
    "another method": POST + b"X-HTTP-Method-Override: HEAD\r\n" + LENGTH % 3 + b"\r\nabc",
    "TRACE": b"TRACE /a HTTP/1.1\r\nHost: x\r\n" + LENGTH % len(INNER) + b"\r\n" + INNER,
    "bare line ends in chunks": POST + CHUNKED + b"\r\n3\nabc\n0\n\n" + INNER,
    "an extension that breaks its line": POST + CHUNKED + b"\r\n3;a=\nb\r\nabc\r\n0\r\n\r\n" + INNER,
}  # fmt: skip

BASE: Fields = [(":method", "POST"), (":path", "/a"), (":scheme", "http"), (":authority", "x")]
EVIL = "x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x"


def replaced(name: str, value: str) -> Fields:
    return [(each, value if each == name else old) for each, old in BASE]


OVER_HTTP2: dict[str, Fields] = {
    "a line break in a value": [*BASE, ("x-a", EVIL)],
    "a line break in a name": [*BASE, ("x-a\r\nx-b", "1")],
    "a line break in the method": replaced(":method", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET"),
    "a line break in the path": replaced(":path", "/a HTTP/1.1\r\nHost: x\r\n\r\nGET /smuggled"),
    "a line break in the authority": replaced(":authority", EVIL),
    "a line break in the scheme": replaced(":scheme", "http\r\nx-a: b"),
    "a space in the path": replaced(":path", "/a HTTP/1.1"),
    "too short a length": [*BASE, ("content-length", "1")],
    "too long a length": [*BASE, ("content-length", "900")],
    "a length that is none": [*BASE, ("content-length", "3, 3")],
    "chunked": [*BASE, ("transfer-encoding", "chunked")],
    "the fields of a hop": [*BASE, ("connection", "transfer-encoding"), ("upgrade", "h2c")],
    "two hosts": [*BASE, ("host", "other.example")],
    "a colon in a name": [*BASE, ("x:a", "1")],
}

numbers = itertools.count()


@asynccontextmanager
async def proxied(folder: Path, program: str, own: int, http2: str = "") -> AsyncIterator[RunningFront]:
    async with open_front() as server, trio.open_nursery() as nursery:
        config = folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, port=server.port, own=own, http2=http2))
        process = await nursery.start(trio.run_process, [program, "-p", str(folder), "-c", str(config)])
        try:
            yield server
            assert server.counts.errors == 0
        finally:
            process.terminate()


async def clean(peer: Peer, name: str) -> None:
    """Three requests, each with an answer of its own."""
    for number in itertools.islice(numbers, 3):
        status, _, body = await peer.ask(f"GET /clean-{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert status == 200, name
        assert f"'/clean-{number}'".encode() in body, name


def variants() -> Iterator[tuple[str, bytes]]:
    yield from ((name, raw) for name, (_, raw) in REFUSED.items())
    yield from ACCEPTED.items()
    yield from MORE.items()


async def test_over_http1(tmp_path: Path, nginx: str, own_port: int) -> None:
    async with proxied(tmp_path, nginx, own_port):
        for name, raw in variants():
            peer = await connect(own_port)
            await peer.send(raw)
            await peer.something()
            other = await connect(own_port)
            await clean(other, name)
            await other.aclose()
            await peer.aclose()


async def test_over_http2(tmp_path: Path, nginx: str, own_port: int) -> None:
    async with proxied(tmp_path, nginx, own_port, " http2"):
        for name, fields in OVER_HTTP2.items():
            peer = await http2_peer(own_port)
            await peer.open(fields, b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
            with suppress(EOFError):
                await peer.next_event(ResponseReceived, StreamReset, ConnectionTerminated)
            other = await http2_peer(own_port)
            for number in itertools.islice(numbers, 3):
                status, _, body = await other.ask_http2("GET", f"/clean-{number}")
                assert (status, f"'/clean-{number}'".encode() in body) == (200, True), name
            await other.aclose()
            await peer.aclose()


async def http2_peer(port: int) -> Http2Peer:
    peer = Http2Peer((await connect(port)).stream)
    peer.http.config.validate_outbound_headers = False
    peer.http.config.normalize_outbound_headers = False
    await peer.start()
    return peer
