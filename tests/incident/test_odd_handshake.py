"""Fields of a handshake that ended workers and misled routers elsewhere: contained, and read by one parser."""

import pytest

from tests.serving.http2 import plain_http2
from tests.serving.support import KEY, open_front

SOCKETS = ("/echo", "/listen")
BYTES = bytes(range(0x80, 0x100))


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("field", ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"])
async def test_bytes_beyond_ascii_end_nothing(field: str, path: str) -> None:
    async with open_front() as server:
        for byte in BYTES:
            async with server.peer() as peer:
                head = (
                    f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{field}: a"
                )
                await peer.send(head.encode() + bytes((byte,)) + b"\r\n\r\n")
                assert b" 101 " in await peer.read_head()
        async with plain_http2(server, is_strict=False) as peer:
            for byte in BYTES[::16]:
                sock = await peer.connect(path, (field.lower(), "a" + chr(byte)))
                assert (await sock.status())[0] == 200
            assert server.counts.errors == 0
            assert await server.is_fine()


@pytest.mark.parametrize("host", ["a/b?c", "a?b", "a#b", "a@b", "a/../b", "a\\b", "a b"])
async def test_a_host_that_is_a_path_is_no_host(host: str) -> None:
    async with open_front() as server:
        async with server.peer() as peer:
            assert (await peer.ask(f"GET /a HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()))[0] == 400
        async with plain_http2(server, is_strict=False) as other:
            fields = [(":method", "GET"), (":path", "/a"), (":scheme", "http"), (":authority", host)]
            assert (await other.ask_fields(fields, b""))[0] == 400
            assert server.counts.errors == 0
