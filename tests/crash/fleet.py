"""Two nodes on one database, each at an address that it keeps over all its lives."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import trio

from tests.peer.postgres import free_port
from tests.system.server import Server, open_server

NAMES = ("one", "two")
LEASE = "node.lease=1s"


class Fleet:
    """The addresses of the nodes, and how they are started. url: of the database."""

    def __init__(self, folder: Path, url: str, settings: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._shared = (
            f"store.url={url}",
            f"server.key={folder / 'shared.key'}",
            "live.source=none",
            LEASE,
            "rooms.daily_posts=0",
            *settings,
        )
        self.ports = {name: free_port() for name in NAMES}
        self.clients = {name: httpx.AsyncClient(base_url=self.url(name), timeout=20) for name in NAMES}
        self.up: dict[str, Server] = {}
        self._changed = trio.Event()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def socket_url(self, name: str) -> str:
        return f"ws://127.0.0.1:{self.ports[name]}"

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Server]:
        """One life of a node; `up` has it meanwhile."""
        async with self._open(name, self.ports[name]) as server:
            self.up[name] = server
            self._change()
            try:
                yield server
            finally:
                self.up.pop(name, None)

    async def kill(self, name: str) -> None:
        """Ends a node at once."""
        assert await self.up.pop(name).stop(signal.SIGKILL) == -signal.SIGKILL

    def open_other(self, name: str) -> AbstractAsyncContextManager[Server]:
        """A node beside those two, at any port."""
        return self._open(name, 0)

    def _open(self, name: str, port: int) -> AbstractAsyncContextManager[Server]:
        settings = (*self._shared, f"node.name={name}", f"server.bind=127.0.0.1:{port}")
        return open_server(self._folder, settings)

    def _change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def wait_up(self, count: int = len(NAMES)) -> None:
        """Until so many nodes serve."""
        with trio.fail_after(60):
            while len(self.up) < count:
                await self._changed.wait()

    async def keep(self, name: str, while_up: Callable[[str], Awaitable[None]]) -> None:
        """Starts the node again whenever it has ended, until cancelled. while_up: runs while it lives, and 3 s longer."""
        while True:
            async with self.open(name) as server, trio.open_nursery() as nursery:
                nursery.start_soon(while_up, name)
                await server.process.wait()
                self.up.pop(name, None)
                # The WebSocket client waits for ever when the server dies in the middle of its handshake.
                nursery.cancel_scope.deadline = trio.current_time() + 3

    async def aclose(self) -> None:
        """Closes the clients."""
        for client in self.clients.values():
            await client.aclose()
