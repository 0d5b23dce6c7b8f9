"""Signing in: by password with the shipped and with the cheapest hash, by passkey; processor time of the server for each.

Whoever signs in is always the same person, so that no other one's rows are looked at. What a browser and an authenticator do is
done here, on the client's core, before and between the requests.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from benchmarks.checkout import THIS, Checkout
from benchmarks.directory.exchange import exchange
from benchmarks.process import Server, scratch
from benchmarks.product import product
from benchmarks.table import Figures
from tests.authenticator import Authenticator

SITE = "https://example.org"
CHEAPEST = ("password.time_cost=1", "password.memory=1MiB")
CONNECTIONS = 4
PERSON = {"username": "annabella", "email": "annabella@example.org", "password": "a long password"}
CREDENTIALS = {name: PERSON[name] for name in ("username", "password")}
Turn = Callable[["Asker"], Awaitable[None]]


class Asker:
    """One connection that is kept."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def post(self, path: str, body: object, token: str = "", *, status: int = 200) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        fields = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(data)}"]
        fields += ["Content-Type: application/json"] if data else []
        fields += [f"Authorization: Bearer {token}"] if token else []
        request = "\r\n".join([*fields, "", ""]).encode() + data
        answer = await exchange(self._stream, request, status)
        return json.loads(answer.partition(b"\r\n\r\n")[2])


async def by_password(asker: Asker) -> None:
    """One request."""
    await asker.post("/login", CREDENTIALS)


def by_passkey(key: Authenticator) -> Turn:
    """Two requests: a challenge, and its answer."""

    async def turn(asker: Asker) -> None:
        challenge = await asker.post("/login/passkey/challenge", None)
        await asker.post("/login/passkey/verify", key.answer(challenge))

    return turn


def measure_password(count: int, checkout: Checkout = THIS, *settings: str) -> Figures:
    """So many sign-ins of a fresh server."""
    return _measure(count, checkout, settings, by_password)


def measure_passkey(count: int) -> Figures:
    """The same by passkey, with the hash as it is shipped."""
    return _measure(count, THIS, (), None)


def _measure(count: int, checkout: Checkout, settings: tuple[str, ...], turn: Turn | None) -> Figures:
    """turn: None for a passkey, which is made first."""

    async def run(server: Server) -> Figures:
        async with _connected(server) as asker:
            made = await asker.post("/login/register", PERSON, status=201)
            chosen = turn or by_passkey(await _new_key(asker, made["token"]))
        await _repeat(server, chosen, max(CONNECTIONS, count // 10))
        cpu, started = server.cpu_seconds(), trio.current_time()
        done = await _repeat(server, chosen, count)
        elapsed, used = trio.current_time() - started, server.cpu_seconds() - cpu
        return {"per_second": done / elapsed, "cpu_ms": used / done * 1000}

    with scratch() as folder:
        where = (f"server.public_url={SITE}", "mail.smtp=smtp://127.0.0.1:9", *settings)
        with product(Path(folder) / "bench.db", *where, checkout=checkout) as server:
            return trio.run(run, server)


@asynccontextmanager
async def _connected(server: Server) -> AsyncIterator[Asker]:
    async with await trio.open_tcp_stream("127.0.0.1", server.port) as stream:
        yield Asker(stream)


async def _new_key(asker: Asker, token: str) -> Authenticator:
    key = Authenticator(SITE, counts=False)  # a counter would be answered out of order by several connections
    made = key.make(await asker.post("/login/passkey/options", None, token))
    await asker.post("/login/passkey", {**made, "name": "Key"}, token, status=201)
    return key


async def _repeat(server: Server, turn: Turn, count: int) -> int:
    """So many turns over all connections; how many there were."""
    done = 0

    async def one() -> None:
        nonlocal done
        async with _connected(server) as asker:
            for _ in range(count // CONNECTIONS):
                await turn(asker)
                done += 1

    async with trio.open_nursery() as nursery:
        for _ in range(CONNECTIONS):
            nursery.start_soon(one)
    return done
