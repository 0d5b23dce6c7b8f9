"""No input ends more than its own connection: known fatal inputs of Hypercorn, and a fuzz of everything."""

import os
import random

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regserver.serving import FrontLimits
from regserver.serving.body import Chunks
from regserver.serving.head import BadHead, find_end, parse_head
from regserver.serving.inbound import Decoder, PeerClosed, Violated
from tests.serving.fuzz import mutations
from tests.serving.support import RunningFront, client_frame, open_front, upgrade

KILLERS = {
    "bad field byte": b"GET / HTTP/1.1\r\nHost: x\r\nX\0Y: 1\r\n\r\n",
    "version 8": upgrade("/other").replace(b"Version: 13", b"Version: 8"),
    "early frame": upgrade("/other") + client_frame(b"hi"),
    "bad version and more": upgrade("/other").replace(b"Version: 13", b"Version: 8") + b"xx",
    "upgrade with chunks": upgrade("/other", "Transfer-Encoding: chunked"),
    "upgrade with a length": upgrade("/other", "Content-Length: 5"),
    "non-ASCII upgrade": upgrade("/oth").replace(b"/oth", b"/oth\xc3"),
    "non-ASCII path": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "upgrade by PUT": upgrade("/other").replace(b"GET", b"PUT"),
    "unmasked frame": upgrade("/other") + b"\x81\x05hello",
    "no key": upgrade("/other").replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Kex"),
    "bad chunk": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "upgrade without anything": b"GET /other HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "HTTP/2 preface and noise": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
    "HTTP/2 preface cut off": b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
    "HTTP/2 data for no stream": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\1\0\0\0\0\1x",
}


async def test_known_killers() -> None:
    async with open_front() as server:
        for name, raw in KILLERS.items():
            async with server.peer() as peer:
                await peer.send(raw)
                with trio.move_on_after(0.05):
                    await peer.ended()
            assert await server.is_fine(), name
        await server.settled()


@pytest.mark.parametrize("seed", range(4))
async def test_mutated_traffic(seed: int) -> None:
    """A little of what benchmarks.front.fuzz does at length."""
    rounds = int(os.environ.get("TEST_FUZZ_ROUNDS", "150"))
    async with open_front() as server:
        for raw, cut in mutations(random.Random(seed), rounds):  # noqa: S311
            await throw(server, raw, cut)
        assert await server.is_fine()
        await server.settled()
        assert server.counts.open == server.counts.sessions == 0


async def throw(server: RunningFront, raw: bytes, cut: int) -> None:
    async with server.peer() as peer:
        try:
            await peer.send(raw[:cut])
            await trio.lowlevel.checkpoint()
            await peer.send(raw[cut:])
            with trio.move_on_after(0.002):
                await peer.ended()
        except trio.BrokenResourceError:
            pass  # it has had enough of us


LIMITS = FrontLimits()
QUIET = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.binary(max_size=300))
def test_any_head_is_read_or_refused(raw: bytes) -> None:
    try:
        end = find_end(raw, LIMITS)
        head = parse_head(raw[:end], LIMITS) if end else None
    except BadHead as bad:
        assert bad.status in (400, 414, 417, 431, 501, 505)  # noqa: PT017
    else:
        assert head is None or head.path.startswith("/")


_fields = st.lists(
    st.tuples(
        st.sampled_from(
            ["Host", "Content-Length", "Transfer-Encoding", "X-A", "Connection", "Upgrade", "Expect"]
        ),
        st.one_of(st.sampled_from(["x", "3", "chunked", "close", "100-continue"]), st.text(max_size=20)),
    ),
    max_size=8,
)


@QUIET
@given(st.sampled_from(["GET", "POST"]), st.text(max_size=30), _fields)
def test_no_accepted_head_holds_a_line_end(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    """An endpoint may write what it reads into a log or into another request."""
    lines = [f"{method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    raw = "\r\n".join(lines).encode()
    try:
        end = find_end(raw, LIMITS)
        head = parse_head(raw[:end], LIMITS) if end else None
    except BadHead:
        return
    if head is not None:
        assert head.length >= -1
        for name, value in head.fields.items():
            assert not set("\r\n\0") & set(name + value)
        assert not set(" \r\n\0") & set(head.target)


@QUIET
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=10), st.integers(0, 40))
def test_chunks_come_back_whole(parts: list[bytes], cut: int) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\nnext"
    chunks = Chunks(10_000)
    chunks.feed(raw[:cut])
    chunks.feed(raw[cut:])
    assert (chunks.done, bytes(chunks.body), chunks.rest) == (True, b"".join(parts), b"next")


@QUIET
@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_frames_are_read_or_end_the_session(pieces: list[bytes]) -> None:
    decoder = Decoder(100)
    for piece in pieces:
        for inbound in decoder.feed(piece):
            if isinstance(inbound, Violated):
                assert inbound.code in (1002, 1007, 1009)
            if isinstance(inbound, PeerClosed | Violated):
                return
