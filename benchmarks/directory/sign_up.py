"""Sign-ups from /init over a mail by SMTP to the confirmation, compared with the cost of the password hash alone."""

import json
import subprocess
import sys
from pathlib import Path

import trio

from benchmarks.directory.exchange import exchange
from benchmarks.directory.server import serving
from benchmarks.process import SERVER_CORE, Server, on_core, scratch
from benchmarks.table import Figures
from regserver.config import Settings
from tests.peer.smtp import SmtpPeer, open_smtp_peer

CLIENTS = 8

HASH = """
import sys, time, argon2
hasher = argon2.PasswordHasher(time_cost=int(sys.argv[1]), memory_cost=int(sys.argv[2]), parallelism=int(sys.argv[3]))
hasher.hash("warm up")
started = time.process_time()
for _ in range(int(sys.argv[4])):
    hasher.hash("a password of usual length")
print((time.process_time() - started) / int(sys.argv[4]))
"""


def bare_hash_ms(count: int) -> float:
    cost = Settings().password
    arguments = (cost.time_cost, cost.memory // 1024, cost.parallelism, count)
    command = on_core(SERVER_CORE, [sys.executable, "-c", HASH, *arguments])
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout) * 1000


def measure(count: int) -> Figures:
    """per_second: confirmed sign-ups on the server's one core. cpu_ms: of the server, each. hash_ms: a hash alone.

    of_the_hash: how much of what the hash alone would allow is reached; 1 is nothing beside the hash.
    """
    before = bare_hash_ms(count)
    with scratch() as folder:
        seconds, cpu = trio.run(_run, folder, count)
    # What else the machine does slows hashes as well: asked before and after, it is in both figures.
    hash_ms, cpu_ms = (before + bare_hash_ms(count)) / 2, cpu / count * 1000
    return {
        "per_second": count / seconds,
        "cpu_ms": cpu_ms,
        "hash_ms": hash_ms,
        "of_the_hash": hash_ms / cpu_ms,
    }


async def _run(folder: Path, count: int) -> tuple[float, float]:
    async with open_smtp_peer() as (peer, _):
        settings = (f"mail.smtp=smtp://127.0.0.1:{peer.port}", "server.public_url=http://bench.example")
        with serving(folder, *settings) as server:
            await _sign_up(server, peer, "warm", CLIENTS)
            cpu, started = server.cpu_seconds(), trio.current_time()
            await _sign_up(server, peer, "user", count)
            return trio.current_time() - started, server.cpu_seconds() - cpu


async def _sign_up(server: Server, peer: SmtpPeer, prefix: str, count: int) -> None:
    numbers = iter(range(count))
    first = len(peer.received)

    async def begin() -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream:
            for number in numbers:
                name = f"{prefix}{number:06}"
                fields = {"userName": name, "password": "sixsix", "email": f"{name}@example.org"}
                await _post(stream, "/init", json.dumps(fields).encode())

    async def confirm() -> None:
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream:
            for number in range(count):
                await peer.wait_received(first + number + 1)
                challenge = peer.received[first + number].part("plain").partition("#")[2].split()[0]
                await _post(stream, f"/{challenge}/confirm", b"")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(confirm)
        for _ in range(CLIENTS):
            nursery.start_soon(begin)


async def _post(stream: trio.SocketStream, path: str, body: bytes) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    await exchange(stream, head.encode() + body)
