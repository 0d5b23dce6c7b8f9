"""Almost valid traffic: heads, bodies and frames with a few bytes changed, dropped or inserted."""

import random
from collections.abc import Iterator, Sequence

from tests.serving.support import client_frame, close_payload, upgrade

SEEDS = (
    upgrade("/echo"),
    upgrade("/echo") + client_frame(b"hi") * 3,
    upgrade("/listen") + client_frame(b"a" * 200, 2) + client_frame(b"", 9) + close_payload(1000),
    upgrade("/nowhere") + client_frame(b"hi"),
    b"POST /rpc HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n" + b'{"jsonrpc":"2.0"}   ',
    b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n"
    b"0123456789abcdef\r\n0\r\nX: y\r\n\r\n",
    b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + upgrade("/echo") + client_frame(b"late"),
    b"POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\x0a\1\5\0\0\0\1\x82\x86\x84\x41\x01x\0\0\0\0",
)
_TOKENS = (
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"\xff", b"%", b"?", b"\x88\x00", b"\x80", b"0\r\n\r\n",
    b"content-length: 5\r\n", b"Content-Length: -1\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Host: y\r\n", b"Expect: 100-continue\r\n",
)  # fmt: skip


def mutations(
    source: random.Random, count: int, seeds: Sequence[bytes] = SEEDS
) -> Iterator[tuple[bytes, int]]:
    """That many inputs, each with a place at which to cut it into two segments. The same ones for the same source."""
    for _ in range(count):
        data = bytearray(source.choice(seeds))
        for _ in range(source.choice((0, 1, 1, 1, 2, 3, 5))):
            _mutate(data, source)
        yield bytes(data), source.randrange(len(data) + 1)


def _mutate(data: bytearray, source: random.Random) -> None:
    at = source.randrange(len(data) + 1)
    match source.randrange(4):
        case 0:
            data[at : at + 1] = bytes((source.randrange(256),))
        case 1:
            del data[at : at + source.randrange(1, 20)]
        case 2:
            data[at:at] = source.choice(_TOKENS)
        case _:
            piece = data[at : at + source.randrange(1, 40)]
            data[at:at] = piece
