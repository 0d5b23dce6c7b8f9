"""Socket activation: the socket outlives the server, so that a restart refuses nobody."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.system.server import ROOT

START = (
    'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" -m regserver serve --set log.format=json --set live.source=none'
    " --set store.url=sqlite:test.db 3<&{}"
)
REQUEST = b"GET /health/alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def started(folder: Path, descriptor: int) -> AsyncIterator[trio.Process]:
    """A server that gets the socket as systemd hands it over, until it is stopped in an orderly way."""
    process = await trio.lowlevel.open_process(
        ["bash", "-c", START.format(descriptor), sys.executable],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        pass_fds=[descriptor],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
        process.terminate()
        assert await process.wait() == 0
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()


async def ask(port: int) -> bytes:
    """One request on a connection of its own, which must not be refused. What was answered: nothing, if it was too late."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        try:
            await stream.send_all(REQUEST)
            return bytes(await stream.receive_some())
        except trio.BrokenResourceError:
            return b""


async def test_a_restart_refuses_no_connection(tmp_path: Path) -> None:
    answered: list[bytes] = []
    with trio.socket.socket() as listening:
        await listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        port = listening.getsockname()[1]

        async def keep_asking() -> None:
            while True:
                answered.append(await ask(port))

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep_asking)
                for _ in range(2):
                    async with started(tmp_path, listening.fileno()):
                        before = len(answered)
                        while len(answered) < before + 20:  # noqa: ASYNC110  (another process answers)
                            await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
    late = [answer for answer in answered if not answer.startswith(b"HTTP/1.1 200 ")]
    assert len(answered) >= 40
    assert len(late) <= 2, (
        late
    )  # a connection that was accepted and had not asked yet when the server stopped
