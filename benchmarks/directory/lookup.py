"""`check` and `server` over a keep-alive connection, with few and with very many accounts in the store."""

import random
import sqlite3
import time
from pathlib import Path

import trio

from benchmarks.directory.exchange import exchange
from benchmarks.directory.server import serving
from benchmarks.process import Server, scratch
from benchmarks.table import Figures, Table
from regserver.store.sqlite import migrate

CONNECTIONS = 8
ROUTES = ("check", "server")


def name_of(route: str, count: int) -> str:
    """Of a row in the table."""
    return f"{route:6}  {count:>9,} accounts"


def measure(accounts: tuple[int, ...], seconds: float, rounds: int) -> Table:
    """Every size and route takes its turn in each round; both routes of a size are asked of the same server."""
    table: dict[str, list[Figures]] = {name_of(route, count): [] for route in ROUTES for count in accounts}
    with scratch() as folder:
        for count in accounts:
            _fill(folder / str(count), count)
        for _ in range(rounds):
            for count in accounts:
                with serving(folder / str(count)) as server:
                    for route in ROUTES:
                        figures = trio.run(_run, server, route, count, seconds)
                        table[name_of(route, count)].append(figures)
    return table


def _fill(folder: Path, count: int) -> None:
    folder.mkdir()
    path, now = folder / "bench.db", time.time_ns() // 1_000_000
    migrate(path, now)
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO account (id, username, name_key, email, email_key, password_hash, door, server, created_at,"
            " updated_at) VALUES (?, ?, ?, ?, ?, ?, 'directory', 'one.example.org', ?, ?)",
            (
                (
                    n,
                    _name(n),
                    _name(n),
                    f"{_name(n)}@example.org",
                    f"{_name(n)}@example.org",
                    "x" * 97,
                    now,
                    now,
                )
                for n in range(count)
            ),
        )
        connection.executemany(
            "INSERT INTO name (name_key, holder) VALUES (?, ?)",
            ((_name(n), f"account:{n}") for n in range(count)),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _name(number: int) -> str:
    # Spread over the index, as real names are.
    return f"user{number * 7_368_787 % 10_000_019:08}"


async def _run(server: Server, route: str, count: int, seconds: float) -> Figures:
    asked = 0

    async def ask(seed: int, until: float) -> None:
        nonlocal asked
        choice = random.Random(seed)  # noqa: S311  (which names are asked for)
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream:
            while trio.current_time() < until:
                name = _name(choice.randrange(count))
                await exchange(stream, f"GET /{name}/{route} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
                asked += 1

    async def round_of(length: float) -> None:
        async with trio.open_nursery() as nursery:
            for seed in range(CONNECTIONS):
                nursery.start_soon(ask, seed, trio.current_time() + length)

    await round_of(0.5)
    asked = 0
    cpu, started = server.cpu_seconds(), trio.current_time()
    await round_of(seconds)
    elapsed, used = trio.current_time() - started, server.cpu_seconds() - cpu
    return {"per_second": asked / elapsed, "cpu_us": used / asked * 1e6}
