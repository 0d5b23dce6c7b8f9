"""One run of one kind of fixture in a new process: python -m benchmarks.testing.sides SIDE STARTS

Prints its figures as JSON: ms until the server answers a request, of the first start of the process and the median of later ones,
ms to stop, and ms to import what it needs.
"""

import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import trio

from benchmarks.process import scratch

Ask = Callable[[], AbstractAsyncContextManager[None]]
"""A fixture that has answered one request when its body begins."""


def fixture() -> Ask:
    """The server of regserver.testing."""
    import httpx

    from regserver import testing

    client = httpx.Client(trust_env=False, verify=False)  # noqa: S501  (plain HTTP alone)

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        async with testing.server() as server:
            await trio.to_thread.run_sync(client.get, f"{server.url}/health/alive")
            yield

    return run


def quart() -> Ask:
    """A Quart app with one route that returns a constant, and its test client: no socket, no store."""
    from quart_trio import QuartTrio

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        app = QuartTrio("bare")

        @app.get("/health/alive")
        async def alive() -> dict[str, str]:
            return {"status": "alive"}

        async with app.test_app() as tested:
            await tested.test_client().get("/health/alive")
            yield

    return run


def subprocess_server() -> Ask:
    """`regserver serve` on a new store, with a cheap hash."""
    from benchmarks.product import product

    @asynccontextmanager
    async def run() -> AsyncIterator[None]:
        with (
            scratch() as folder,
            product(folder / "regserver.db", "password.memory=512KiB", log=Path("/dev/null")),
        ):
            yield

    return run


SIDES: dict[str, Callable[[], Ask]] = {"fixture": fixture, "quart": quart, "subprocess": subprocess_server}


async def measure(side: str, starts: int) -> dict[str, float]:
    """starts: at least two; the first is told apart."""
    begun = time.perf_counter()
    run = SIDES[side]()
    imported = _since(begun)
    started: list[float] = []
    stopped: list[float] = []
    for _ in range(starts):
        begun = time.perf_counter()
        async with run():
            started.append(_since(begun))
            begun = time.perf_counter()
        stopped.append(_since(begun))
    return {
        "import_ms": imported,
        "first_ms": started[0],
        "later_ms": statistics.median(started[1:]),
        "stop_ms": statistics.median(stopped),
        "last_stop_ms": max(stopped),
    }


def _since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    print(json.dumps(trio.run(measure, sys.argv[1], int(sys.argv[2]))))
