"""Kills two nodes and their PostgreSQL at random moments under load, and compares what every socket heard.

    posters at either node ─▶ kill one node, both, or the database ─▶ start again ─▶ … ─▶ settle ─▶ compare

Everybody who listens has a socket at each node, which resumes there, and one that resumes at whichever node lives. What is
in doubt at one node is asked for again at the other. All else is as with one server, see `checker`.
"""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import trio

from regserver.ports.store import Store
from regserver.store.postgres import open_postgres
from tests.crash.actor import Ears, StoreAway, Who, read_cursor
from tests.crash.checker import FAR_FUTURE, STARTUP_KILLS, Checker
from tests.crash.fleet import NAMES, Fleet
from tests.crash.history import Frames, Verdict, compare
from tests.peer.postgres import Cluster
from tests.system.server import Server

BOTH, DATABASE, CUTS = 0.1, 0.1, 0.1
MOVES = 0.1
"""How often a poster goes to the other node after a post."""
POST_PAUSE = 0.08


class NodeChecker(Checker):
    """One run on a cluster of its own."""

    key_file = "shared.key"
    truths = 4

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.crashes = 0
        self.verdict: Verdict | None = None
        self._sockets: dict[str, dict[str, Ears]] = {}  # of each person, by where it listens
        self._over = False

    async def run(self, kills: int, progress: Callable[[int, int], None] = lambda done, all_: None) -> None:
        with Cluster.create() as cluster:
            self._cluster = cluster
            self._url = cluster.url(cluster.create_database())
            self._fleet = Fleet(self._folder, self._url, ("store.pool_timeout=1s",))
            try:
                async with trio.open_nursery() as nursery:
                    await self._run(kills, progress, nursery)
                    nursery.cancel_scope.cancel()
            finally:
                await self._fleet.aclose()

    async def _run(self, kills: int, progress: Callable[[int, int], None], nursery: trio.Nursery) -> None:
        async with self._fleet.open("one") as server, server.client() as client:
            await self._settle_in(client)
        self._place_ears()
        for name in NAMES:
            nursery.start_soon(self._fleet.keep, name, self._listen)
        for sockets in self._sockets.values():  # all begin where nothing has happened yet
            for ears in sockets.values():
                await ears.begun.wait()
        async with trio.open_nursery() as load:
            for who in self._posters:
                load.start_soon(self._pour_anywhere, who)
            load.start_soon(self._move_anywhere)
            while self.kills < kills:
                progress(self.kills, kills)
                await trio.sleep(self._chance.uniform(0.02, 0.8))
                await self._strike()
                await self._fleet.wait_up()
            self._over = True
        server = self._fleet.up["one"]
        await self._wait_for_store()
        await self._settle(server, self._fleet.clients["one"])
        await self._verify(server, self._fleet.clients["one"])
        self._compare()

    # --- listeners
    def _place_ears(self) -> None:
        people = (*self._stayers, self._wanderer)
        self._sockets = {
            who.name: {place: Ears(who, self._seal) for place in (*NAMES, "either")} for who in people
        }
        self._turns = {who.name: trio.Lock() for who in people}
        self._ears = [sockets["either"] for sockets in self._sockets.values()]

    async def _listen(self, node: str) -> None:
        """All sockets that are for this node, until cancelled."""
        async with trio.open_nursery() as nursery:
            for name, sockets in self._sockets.items():
                nursery.start_soon(self._resume, sockets[node], node)
                nursery.start_soon(self._resume_either, name, node)

    async def _resume(self, ears: Ears, node: str) -> None:
        while True:
            await ears.listen(self._fleet.socket_url(node))
            await trio.sleep(0.05)

    async def _resume_either(self, name: str, node: str) -> None:
        while True:
            async with self._turns[name]:
                await self._sockets[name]["either"].listen(self._fleet.socket_url(node))
            await trio.sleep(0.05)

    # --- load
    def _any_client(self) -> httpx.AsyncClient:
        return self._fleet.clients[self._chance.choice(sorted(self._fleet.up) or NAMES)]

    async def _pour_anywhere(self, who: Who) -> None:
        while not self._over:
            try:
                await self._pour_at(self._any_client(), who)
            except (httpx.TransportError, StoreAway):
                await trio.sleep(0.05)

    async def _pour_at(self, client: httpx.AsyncClient, who: Who) -> None:
        await self._ask_again(client, who)
        while not self._over and self._chance.random() > MOVES:
            await self._ask_new(client, who)
            await trio.sleep(self._chance.uniform(0, 2 * POST_PAUSE))

    async def _move_anywhere(self) -> None:
        while not self._over:
            self._step = self._step or next(self._wandering)
            try:
                await self._step.make(self._any_client())
            except (httpx.TransportError, StoreAway):
                await trio.sleep(0.05)
            else:
                self._step = None

    async def _wait_for_store(self) -> None:
        """Until all that has a key is answered: the last blow may have been to the database."""
        with trio.fail_after(60):
            for who in self._posters:
                while who.in_doubt:
                    try:
                        await self._ask_again(self._fleet.clients["one"], who)
                    except StoreAway:
                        await trio.sleep(0.05)

    # --- blows
    async def _strike(self) -> None:
        if self._chance.random() < DATABASE:
            await trio.to_thread.run_sync(self._cluster.stop, signal.SIGQUIT)
            await trio.sleep(self._chance.uniform(0, 0.5))
            await trio.to_thread.run_sync(self._cluster.start)
            self.crashes += 1
        elif self._chance.random() < CUTS:
            await self._cut_log()
        else:
            names = NAMES if self._chance.random() < BOTH else [self._chance.choice(NAMES)]
            for name in names:
                await self._fleet.kill(name)
                self.kills += 1
            if self._chance.random() < STARTUP_KILLS:
                await self._kill_at_start()

    async def _kill_at_start(self) -> None:
        """A node of a third name, so that it does not get into the way of those that come back."""
        with trio.move_on_after(self._chance.uniform(0.05, 1.5)):
            async with self._fleet.open_other("three"):
                await trio.sleep_forever()
        self.kills += 1

    # --- the log
    @asynccontextmanager
    async def _open_store(self) -> AsyncIterator[Store]:
        async with open_postgres(self._url) as store:
            yield store

    async def _cut_log(self) -> None:
        """Cuts off what all sockets have read; ids have gaps here."""
        least = min(ears.position.id for sockets in self._sockets.values() for ears in sockets.values())
        with psycopg.connect(self._url) as connection:
            found = connection.execute("SELECT count(*) FROM event WHERE id < %s", (least,)).fetchone()
        assert found is not None
        if found[0] == 0:
            return
        async with self._open_store() as store:
            await store.write(lambda transaction: transaction.events.trim(FAR_FUTURE, found[0]))
            self._cut = (await store.read(lambda transaction: transaction.events.cut())).id
        assert self._cut < least
        self.cuts += 1

    # --- the end
    async def _settle_ears(self, server: Server, last: set[str]) -> None:
        """They listen already."""
        with trio.fail_after(60):
            for sockets in self._sockets.values():
                for ears in sockets.values():
                    await ears.wait_for(lambda frames: last <= {f.get("content") for f in frames[-200:]})

    def _compare(self) -> None:
        acknowledged = [request.body["content"] for request in self.requests if request.answer is not None]
        heard = {
            f"{who.name} at {place}": self._frames(who, place)
            for who in self._stayers
            for place in self._sockets[who.name]
        }
        self.verdict = compare(heard, acknowledged)
        assert self.verdict.is_clean, (self.verdict, {name: len(frames) for name, frames in heard.items()})
        wandered = {
            place: self._frames(self._wanderer, place) for place in self._sockets[self._wanderer.name]
        }
        assert compare(wandered, ()).is_clean

    def _frames(self, who: Who, place: str) -> Frames:
        ears = self._sockets[who.name][place]
        return [(read_cursor(self._seal, frame["cursor"]).id, frame) for frame in ears.frames]

    def report(self) -> str:
        sockets = [ears for each in self._sockets.values() for ears in each.values()]
        return (
            f"{super().report()}; {self.crashes} crashes of the database; {len(sockets)} sockets heard"
            f" {sum(len(ears.frames) for ears in sockets)} frames over {sum(ears.resumptions for ears in sockets)}"
            f" resumptions: {self.verdict}"
        )
