"""Clients that connect and disconnect in every way, plain and over TLS; afterwards the server must hold nothing of them.

A mix of clean ends, resets, half heads, sessions that never read, late upgrades and broken TLS handshakes. What is
looked at is the server's: open descriptors before and after, and its memory in the middle and at the end.
"""

import contextlib
import itertools
import ssl
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator

import trio

from benchmarks.front.server import server
from tests.serving.support import Peer, close_payload

_WORKERS = 16
_REQUEST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
_RESET = (1).to_bytes(4, "little") + bytes(4)


async def _clean(peer: Peer) -> None:
    await peer.upgrade("/sub")
    await peer.send(close_payload(1000))
    await peer.close_code()


async def _request(peer: Peer) -> None:
    await peer.ask(_REQUEST)


async def _late(peer: Peer) -> None:
    await peer.ask(_REQUEST)
    await _clean(peer)


async def _half_head(peer: Peer) -> None:
    await peer.send(_REQUEST[:20])


async def _leaves(peer: Peer) -> None:
    await peer.upgrade("/sub")


async def _mistake(peer: Peer) -> None:
    await peer.ask(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")


async def _unmasked(peer: Peer) -> None:
    await peer.upgrade("/sub")
    await peer.send(b"\x81\x02hi")
    await peer.close_code()


_WAYS: tuple[Callable[[Peer], Awaitable[None]], ...] = (
    _clean, _request, _late, _half_head, _leaves, _mistake, _unmasked,
)  # fmt: skip


async def _come_and_go(port: int, tls: ssl.SSLContext | None, until: float) -> int:
    done = 0
    for number, way in enumerate(itertools.cycle(_WAYS)):
        if trio.current_time() > until:
            return done
        with contextlib.suppress(OSError, EOFError, trio.BrokenResourceError, trio.TooSlowError):
            plain = await trio.open_tcp_stream("127.0.0.1", port)
            stream: trio.abc.Stream = plain
            if tls is not None and number % 5:  # a fifth of them speaks plainly to TLS
                stream = trio.SSLStream(plain, tls, server_hostname="localhost", https_compatible=True)
            try:
                with trio.fail_after(5):
                    await way(Peer(stream))
                if number % 3 == 0:
                    plain.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, _RESET)
            finally:
                await trio.aclose_forcefully(stream)
        done += 1
    return done


async def _churn(ports: dict[int, ssl.SSLContext | None], seconds: float) -> int:
    done = 0

    async def work(port: int, tls: ssl.SSLContext | None) -> None:
        nonlocal done
        count = await _come_and_go(port, tls, until)
        done += count  # read after the wait: the others add to it meanwhile

    until = trio.current_time() + seconds
    async with trio.open_nursery() as nursery:
        for port, tls in ports.items():
            for _ in range(_WORKERS):
                nursery.start_soon(work, port, tls)
    return done


@contextlib.contextmanager
def _certificate() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", key, "-out", cert],
            check=True, capture_output=True,
        )  # fmt: skip
        yield cert, key


def run(seconds: float) -> dict[str, float]:
    """Connections made, descriptors left open and MiB grown between the middle and the end, of both servers."""
    with _certificate() as (cert, key), server("ours") as plain, server("ours", cert, key) as secure:
        servers = (plain, secure)
        ports = {plain.port: None, secure.port: ssl.create_default_context(cafile=cert)}
        trio.run(_churn, ports, 1.0)  # what is made once is made now
        trio.run(trio.sleep, 12)  # the last half heads have timed out
        before = sum(one.descriptors() for one in servers)
        done = trio.run(_churn, ports, seconds / 2)
        middle = sum(one.rss_kib() for one in servers)
        done += trio.run(_churn, ports, seconds / 2)
        trio.run(trio.sleep, 12)
        return {
            "connections": done,
            "descriptors": sum(one.descriptors() for one in servers) - before,
            "grown_mib": (sum(one.rss_kib() for one in servers) - middle) / 1024,
        }
