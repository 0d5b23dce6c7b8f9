"""Behind a real nginx that keeps its upstream connections alive."""

import socket
from pathlib import Path

import pytest
import trio

from tests.peer.required import find_program
from tests.serving.support import Peer, client_frame, close_payload, open_front, upgrade

_CONFIG = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_buffer_size 256k; proxy_buffers 16 32k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  map $http_upgrade $hop {{ default upgrade; '' ''; }}
  upstream regserver {{ server 127.0.0.1:{port}; keepalive 1; }}
  server {{
    listen 127.0.0.1:{own};
    location / {{
      proxy_pass http://regserver; proxy_http_version 1.1; proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $hop;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def nginx() -> str:
    return find_program("nginx-light", "nginx")


@pytest.fixture
def own_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


async def connect(port: int) -> Peer:
    with trio.fail_after(10):
        while True:
            try:
                return Peer(await trio.open_tcp_stream("127.0.0.1", port))
            except OSError:
                await trio.sleep(0.02)  # another process: there is nothing to wait on


async def test_requests_and_sessions_over_the_same_upstream_connections(
    tmp_path: Path, nginx: str, own_port: int
) -> None:
    async with open_front() as server, trio.open_nursery() as nursery:
        config = tmp_path / "nginx.conf"
        config.write_text(_CONFIG.format(folder=tmp_path, port=server.port, own=own_port))
        process = await nursery.start(trio.run_process, [nginx, "-p", str(tmp_path), "-c", str(config)])
        try:
            peer = await connect(own_port)
            for path in (b"/a", b"/b", b"/c"):
                status, _, body = await peer.ask(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                assert status == 200
                assert b"'x-forwarded-for', '127.0.0.1'" in body
            body = b"a" * 65536
            head = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n"
            status, _, answer = await peer.ask(head + body + b"\r\n0\r\n\r\n")
            assert (status, body in answer) == (200, True)
            await peer.send(upgrade("/echo") + client_frame(b"early"))
            assert b"101" in await peer.read_head()
            assert await peer.frame() == (1, b"early")
            await peer.send(client_frame(b"x" * 60_000))
            assert await peer.frame() == (1, b"x" * 60_000)
            await peer.send(close_payload(1000))
            assert await peer.close_code() == 1000
            assert await peer.ended()
            await peer.aclose()
            assert server.counts.errors == 0
        finally:
            process.terminate()
