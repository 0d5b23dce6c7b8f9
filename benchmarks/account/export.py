"""The export of somebody with very many posts, and what others feel of it meanwhile."""

import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import trio

from benchmarks.account.sign_in import PERSON, Asker
from benchmarks.directory.exchange import exchange
from benchmarks.process import Server, scratch
from benchmarks.product import product
from benchmarks.table import Figures

CONTENT = "A post of two hundred bytes, as people write them. " * 4


def measure(posts: int) -> Figures:
    """One export of so many posts in a hundred rooms; alone, then with somebody else asking all the time."""
    with scratch() as folder:
        path = Path(folder) / "bench.db"
        with product(path, "mail.smtp=smtp://127.0.0.1:9", "server.public_url=https://example.org") as server:
            return trio.run(_run, server, path, posts)


async def _run(server: Server, path: Path, posts: int) -> Figures:
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        made = await Asker(stream).post("/login/register", PERSON, status=201)
    _fill(path, made["userId"], posts)
    await _export(
        server, made["token"]
    )  # fills the page caches of the database's readers, whose size is fixed
    quiet = await _asking(server, made["token"], trio.sleep, 2.0)
    rss, cpu, started = server.rss_kib(), server.cpu_seconds(), trio.current_time()
    size = 0

    async def export(_: float) -> None:
        nonlocal size
        size = await _export(server, made["token"])

    busy = await _asking(server, made["token"], export, 0.0)
    return {
        "seconds": trio.current_time() - started,
        "cpu_seconds": server.cpu_seconds() - cpu,
        "mib": size / (1 << 20),
        "grown_mib": (server.rss_kib() - rss) / 1024,
        "p99_ms": busy * 1000,
        "p99_quiet_ms": quiet * 1000,
    }


def _fill(path: Path, account: int, posts: int) -> None:
    now = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        rooms = [
            connection.execute(
                "INSERT INTO room (created_at, updated_at, members) VALUES (?, ?, 1)", (now, now)
            ).lastrowid
            for _ in range(100)
        ]
        rows = [(rooms[n % 100], account, CONTENT, now, n // 100 + 1, n // 100 + 1) for n in range(posts)]
        columns = "room_id, author_id, content, created_at, ordinal, author_ordinal"
        connection.executemany(f"INSERT INTO post ({columns}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608


async def _asking(
    server: Server, token: str, work: Callable[[float], Awaitable[None]], length: float
) -> float:
    """Somebody else asks one thing after the other while `work` runs; the 99th percentile of their waiting, in seconds."""
    waits: list[float] = []
    request = f"GET /login/info HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    async def ask() -> None:
        async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
            while True:
                started = time.perf_counter()
                await exchange(stream, request)
                waits.append(time.perf_counter() - started)
                await trio.sleep(0.002)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await work(length)
        nursery.cancel_scope.cancel()
    return sorted(waits)[int((len(waits) - 1) * 0.99)]


async def _export(server: Server, token: str) -> int:
    """The document's bytes, which are dropped as they come."""
    fields = f"GET /login/export HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    size, last = 0, b""
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        await stream.send_all(fields.encode())
        async for chunk in stream:
            size, last = size + len(chunk), (last + chunk)[-5:]
    assert last == b"0\r\n\r\n", "it was cut"
    return size
