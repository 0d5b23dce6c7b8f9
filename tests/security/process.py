"""A server whose standard error is the test's own, reached over a unix socket."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio

from tests.system.server import BASIC, ROSTER

BEARER = "the operator's own bearer"


async def until(check: Callable[[], bool]) -> None:
    """Waits for what another process does, and nobody tells."""
    with trio.fail_after(60):
        while True:
            if check():
                return
            await trio.sleep(0.05)


class Started:
    """A server process and a client of it."""

    def __init__(self, process: trio.Process, client: httpx.AsyncClient) -> None:
        self.process = process
        self.client = client

    async def status(self, path: str = "/health/alive") -> int:
        with trio.fail_after(30):
            return (await self.client.get(path)).status_code

    async def figure(self, name: str) -> float:
        """A metric without labels."""
        text = (await self.client.get("/metrics", headers={"authorization": f"Bearer {BEARER}"})).text
        (line,) = [line for line in text.splitlines() if line.startswith(name + " ")]
        return float(line.split()[1])

    async def wait_serving(self) -> None:
        with trio.fail_after(60):
            while True:
                try:
                    await self.client.get("/health/alive")
                except httpx.HTTPError:
                    assert self.process.poll() is None
                    await trio.sleep(0.05)
                else:
                    return

    async def ends(self) -> int:
        with trio.fail_after(60):
            return await self.process.wait()


@asynccontextmanager
async def started(folder: Path, settings: Sequence[str] = (), **options: Any) -> AsyncIterator[Started]:
    """options: of the process, such as stderr."""
    place = folder / "socket"
    given = (
        *BASIC,
        f"server.bind=unix:{place}",
        f"store.url=sqlite:{folder / 'test.db'}",
        f"live.file.path={ROSTER}",
        f"operations.bearer={BEARER}",
        *settings,
    )
    command = [sys.executable, "-m", "regserver", "serve"]
    for setting in given:
        command += ["--set", setting]
    process = await trio.lowlevel.open_process(command, cwd=folder, **{"stdin": subprocess.DEVNULL} | options)
    transport = httpx.AsyncHTTPTransport(uds=str(place))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://x.example", timeout=30) as client:
            server = Started(process, client)
            await server.wait_serving()
            yield server
    finally:
        if process.poll() is None:
            process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
