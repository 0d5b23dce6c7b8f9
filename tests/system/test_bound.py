"""The front door's bounds as an operator sets them, each reached on the started server, and counted."""

import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.serving.support import Peer, client_frame, upgrade
from tests.system.server import AnyServer, local_server, run_command, sign_up

SMALL = {
    "target": "256B",
    "head": "1KiB",
    "header_count": 10,
    "body": "1KiB",
    "message": "125B",
    "head_timeout": "1s",
    "body_timeout": "1s",
    "idle_timeout": "1s",
    "ping_interval": "1s",
    "pong_timeout": "500ms",
}


ALIVE = b"GET /health/alive HTTP/1.1\r\nHost: x\r\n\r\n"


@asynccontextmanager
async def connected(server: AnyServer) -> AsyncIterator[Peer]:
    async with await trio.open_tcp_stream("127.0.0.1", int(server.url.rpartition(":")[2])) as stream:
        yield Peer(stream)


def post(path: str, body: bytes) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_requests() -> None:
    async with local_server(server={"bounds": SMALL}) as (server, client):
        for status, raw, said in (
            (414, b"GET /" + b"a" * 256 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"TargetTooLong"),
            (431, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1024 + b"\r\n\r\n", b"HeadTooLarge"),
            (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: a\r\n" * 10 + b"\r\n", b"HeadTooLarge"),
            (413, post("/login", b" " * 1025), b'{"error":"BodyTooLarge"}'),
            (413, post("/login/register", b" " * 1025), b'{"error":"BodyTooLarge"}'),  # behind Quart
            (413, post("/rpc", b" " * 1025), b'"code":-32600'),
            (413, post("/init", b" " * 1025), b'"id":"BODY_TOO_LARGE"'),
            (408, b"GET / HTTP/1.1\r\n", b"RequestTimeout"),
            (408, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1", b"RequestTimeout"),
        ):
            async with connected(server) as peer:
                answer = await peer.ask(raw)
                assert (answer[0], said in answer[2]) == (status, True), answer
                assert await peer.ended()
        async with connected(server) as peer:
            assert (await peer.ask(ALIVE))[0] == 200
            assert await peer.ended()  # idle for too long
        figures = (await client.get("/metrics")).text
        for status, count in ((414, 1), (431, 2), (408, 2)):
            assert f'regserver_requests_refused_total{{status="{status}"}} {count}.0' in figures


async def test_messages_and_pings() -> None:
    async with local_server(server={"bounds": SMALL}) as (server, client):
        ann = await sign_up(client, "ann")
        path = f"/room/websocket?token={ann.token}"
        async with connected(server) as peer:
            await peer.send(upgrade(path) + client_frame(b"x" * 126))
            assert b" 101 " in await peer.read_head()
            assert await peer.close_code() == 1009
        async with connected(server) as peer:
            await peer.upgrade(path)
            assert await peer.frame() == (9, b"")
            assert await peer.ended()  # the ping was not answered


async def test_connections() -> None:
    async with (
        local_server(server={"max_connections": 1}) as (server, _),
        connected(server) as first,
        connected(server) as second,
    ):
        assert (await second.response())[0] == 503
        assert (await first.ask(ALIVE))[0] == 200


async def test_a_low_limit_on_open_files_is_raised(tmp_path: Path) -> None:
    command = f"ulimit -Sn 256; exec {sys.executable} -m regserver serve"
    arguments = (
        "--set",
        "server.bind=127.0.0.1:0",
        "--set",
        "server.max_connections=1000",
        "--set",
        "live.source=none",
    )
    process = await trio.lowlevel.open_process(
        ["bash", "-c", f"{command} {' '.join(arguments)}"], stderr=subprocess.PIPE, cwd=tmp_path
    )
    try:
        assert process.stderr is not None
        with trio.fail_after(30):
            while b"is serving" not in await process.stderr.receive_some():
                pass
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert limits.partition("Max open files")[2].split()[0] == "1128"
    finally:
        process.terminate()
        with trio.CancelScope(shield=True):
            await process.wait()
            assert process.stderr is not None
            await process.stderr.aclose()


async def test_where_it_cannot_be_raised_that_is_said(tmp_path: Path) -> None:
    done = await run_command("doctor", "--set", "server.max_connections=1000000", folder=tmp_path)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert (b"fewer than server.max_connections, 1000000" in done.stdout) == (0 <= hard < 1_000_128)
