"""Kills, stops and slows the server under one client, which is told nothing of it.

    poster: rooms.post ──▶ ids, each acknowledged once          listener: async for notification in events()
                     └──────────── both must agree in the end ────────────┘

The server is killed at random moments, told to stop, or stands still for a while, and starts again on the same port. The
client repeats, reconnects and recovers by itself.
"""

import random
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import trio

from regserver import client
from tests.system.server import Server, open_server

END = "the end"
TERMINATED, SLOWED = 0.15, 0.3
"""Chances of a server to be told to stop in place of a kill, and to stand still before."""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class ClientChecker:
    """One run. posted: ids in the order of their posting. heard: ids in the order of hearing."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
        self._port = free_port()
        self.kills = 0
        self.posted: list[int] = []
        self.heard: list[int] = []
        self.gaps = 0
        self._stop = False
        self._contents: list[str] = []

    async def run(self, kills: int, progress: Callable[[int, int], None] = lambda done, all_: None) -> None:
        """Raises AssertionError when something was missed, or heard twice."""
        url = f"http://127.0.0.1:{self._port}"
        async with (
            client.open_client(url, patience=3600) as poster,
            client.open_client(url, patience=3600) as listener,
        ):
            async with self._server():
                await poster.accounts.sign_up("poster", "p@example.org", "a good password")
                ears = await listener.accounts.sign_up("listener", "l@example.org", "a good password")
                room = await poster.rooms.create([ears.user_id])
                events = listener.events()
                await events.__aenter__()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, events)
                nursery.start_soon(self._post, poster, room)
                while self.kills < kills:
                    progress(self.kills, kills)
                    await self._live_and_die()
                async with self._server():
                    self._stop = True
                    with trio.fail_after(120):
                        while END not in self._contents:  # noqa: ASYNC110  (only the listener knows)
                            await trio.sleep(0.05)
                    nursery.cancel_scope.cancel()
        self._verify()

    def _server(self) -> AbstractAsyncContextManager[Server]:
        return open_server(self._folder, (f"server.bind=127.0.0.1:{self._port}",))

    async def _post(self, poster: client.Client, room: int) -> None:
        while not self._stop:
            self.posted.append(await poster.rooms.post(room, f"post {len(self.posted)}"))
        self.posted.append(await poster.rooms.post(room, END))

    async def _listen(self, events: client.RoomEvents) -> None:
        async for notification in events:
            if isinstance(notification, client.NewPost):
                self.heard.append(notification.post_id)
                self._contents.append(notification.content)
            elif isinstance(notification, client.Gap):
                self.gaps += 1

    async def _live_and_die(self) -> None:
        async with self._server() as server:
            await trio.sleep(self._chance.uniform(0.02, 0.6))
            if self._chance.random() < SLOWED:
                server.process.send_signal(signal.SIGSTOP)
                await trio.sleep(self._chance.uniform(0.05, 0.3))
                server.process.send_signal(signal.SIGCONT)
            number = signal.SIGTERM if self._chance.random() < TERMINATED else signal.SIGKILL
            await server.stop(number)
            self.kills += 1

    def _verify(self) -> None:
        assert self.heard == self.posted, (len(self.heard), len(self.posted))
        assert self.gaps == 0

    @property
    def missed(self) -> int:
        """Posts that were not heard."""
        return len(set(self.posted) - set(self.heard))

    @property
    def twice(self) -> int:
        """Posts that were heard more than once."""
        return len(self.heard) - len(set(self.heard))

    def report(self) -> str:
        """One line."""
        return f"{self.kills} kills, {len(self.posted)} posts: {self.missed} missed, {self.twice} twice"
