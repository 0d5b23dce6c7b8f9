"""Kills the server at random moments under load, and checks every guarantee.

    load ── kill -9 ──▶ (now and then: cut the log) ──▶ start again ──▶ load … ──▶ settle ──▶ verify

Posters remember what was acknowledged and what is in doubt; what is in doubt and has a key is asked for again.
Somebody is invited and leaves all the time. Listeners resume with the cursor of the last frame they have read, and
keep all frames. In the end the rooms' own lists, the listeners' frames and one recovery of everything must agree.
"""

import itertools
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import httpx
import trio

from regserver.adapters.server_key import load_server_key
from regserver.domain.cursor import CursorSeal
from regserver.domain.instant import Instant
from regserver.ports.store import Store
from regserver.store.sqlite import open_sqlite
from tests.crash.actor import Ears, Request, Who, read_cursor
from tests.system.server import Message, Server, listening, open_server, sign_up

POSTERS = 8
ROOMS = 4
STARTUP_KILLS = 0.1
CUTS = 0.15
FAR_FUTURE = Instant(1 << 50)


async def _joined(client: httpx.AsyncClient) -> int:
    """Counts by which the server shows that it has joined writes, without which the order of a burst is not tried."""
    metrics = (await client.get("/metrics")).text
    found = re.search(r"^regserver_deliveries_joined_total (\S+)$", metrics, re.MULTILINE)
    assert found is not None, metrics
    return int(float(found[1]))


class Checker:
    """One run: a world that lives through many servers on one database."""

    key_file = "test.key"
    truths = 20  # cursors of each listener that are tried in the end

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)  # noqa: S311  (chance, not secrecy)
        self._numbers = itertools.count()
        self.requests: list[Request] = []
        self.kills = 0
        self.cuts = 0
        self.false_recoveries = 0
        self.lost = self.doubled = 0
        self.joined = 0  # notifications that left behind another one in the same write
        self._cut = 0
        self._step: Request | None = None  # what the wanderer is at

    async def run(self, kills: int, progress: Callable[[int, int], None] = lambda done, all_: None) -> None:
        async with open_server(self._folder) as server, server.client() as client:
            await self._settle_in(client)
        while self.kills < kills:
            progress(self.kills, kills)
            if self._chance.random() < STARTUP_KILLS:
                await self._kill_at_start()
            else:
                await self._kill_under_load()
            if self._chance.random() < CUTS:
                await self._cut_log()
        async with open_server(self._folder) as server, server.client() as client:
            await self._settle(server, client)
            await self._verify(server, client)

    # --- the world
    async def _settle_in(self, client: httpx.AsyncClient) -> None:
        async def who(name: str) -> Who:
            person = await sign_up(client, name)
            return Who(name, person.id, person.token)

        self._posters = [await who(f"poster{number}") for number in range(POSTERS)]
        self._stayers = [await who(f"stayer{number}") for number in range(2)]
        self._wanderer = await who("wanderer")
        key = await trio.to_thread.run_sync(load_server_key, self._folder / self.key_file)
        self._seal = CursorSeal(key.derive("cursor"))
        self._ears = [Ears(who, self._seal) for who in (*self._stayers, self._wanderer)]
        everybody = [person.id for person in (*self._posters, *self._stayers, self._wanderer)]
        # A room of the wanderer's own: those in it are no strangers, who could not bring them back for ever.
        await Request(self._wanderer, "/room/create", {"otherUsers": everybody}, None).make(client)
        self._rooms = []
        for _ in range(ROOMS):
            create = Request(self._posters[0], "/room/create", {"otherUsers": everybody}, None)
            await create.make(client)
            assert create.answer is not None
            self._rooms.append(create.answer["roomId"])
        self._wandering: Iterator[Request] = self._wander()

    def _wander(self) -> Iterator[Request]:
        """Leaving and being brought back, in every room in turn; always keyed, so the turns do not get mixed up."""
        while True:
            room = self._chance.choice(self._rooms)
            yield Request(self._wanderer, f"/room/leave/{room}", {}, self._key())
            back = {"otherUsers": [self._wanderer.id]}
            yield Request(self._chance.choice(self._posters), f"/room/invite/{room}", back, self._key())

    def _key(self) -> str:
        return f"key-{next(self._numbers)}"

    def _post(self, who: Who) -> Request:
        room = self._chance.choice(self._rooms)
        key = self._key() if self._chance.random() < 0.7 else None
        content = f"{who.name}-{next(self._numbers)}"
        return Request(who, f"/room/post/{room}", {"content": content}, key)

    # --- load and kills
    async def _kill_under_load(self) -> None:
        async with (
            open_server(self._folder) as server,
            server.client() as client,
            trio.open_nursery() as nursery,
        ):
            for ears in self._ears:
                nursery.start_soon(ears.listen, server.socket_url)
            for who in self._posters:
                nursery.start_soon(self._pour, client, who)
            nursery.start_soon(self._move, client)
            await trio.sleep(self._chance.uniform(0.02, 0.8))
            self.joined += await _joined(client)
            await server.stop(signal.SIGKILL)
            self.kills += 1
            # The WebSocket client waits for ever when the server dies in the middle of its handshake.
            nursery.cancel_scope.deadline = trio.current_time() + 3

    async def _kill_at_start(self) -> None:
        """While it migrates, opens the database, or recovers what the last kill left."""
        with trio.move_on_after(self._chance.uniform(0.05, 1.5)):
            async with open_server(self._folder):
                await trio.sleep_forever()
        self.kills += 1  # leaving the server by a cancellation kills it

    async def _pour(self, client: httpx.AsyncClient, who: Who) -> None:
        """First what is in doubt, then new posts, until the server is gone."""
        with suppress(httpx.TransportError):
            await self._ask_again(client, who)
            while True:
                await self._ask_new(client, who)

    async def _ask_new(self, client: httpx.AsyncClient, who: Who) -> None:
        request = self._post(who)
        self.requests.append(request)
        if request.key:
            who.in_doubt.append(request)
        await request.make(client)
        who.in_doubt.clear()

    async def _ask_again(self, client: httpx.AsyncClient, who: Who) -> None:
        while who.in_doubt:
            await who.in_doubt[0].make(client)
            del who.in_doubt[0]

    async def _move(self, client: httpx.AsyncClient) -> None:
        with suppress(httpx.TransportError):
            while True:
                self._step = self._step or next(self._wandering)
                await self._step.make(client)
                self._step = None

    def _open_store(self) -> AbstractAsyncContextManager[Store]:
        return open_sqlite(self._folder / "test.db")

    async def _cut_log(self) -> None:
        """Cuts off what all listeners have read, as retention would; older cursors must be told so."""
        count = min(ears.position.id for ears in self._ears) - 1 - self._cut
        if count <= 0:
            return
        async with self._open_store() as store:
            trimmed = await store.write(lambda transaction: transaction.events.trim(FAR_FUTURE, count))
            cut = (await store.read(lambda transaction: transaction.events.cut())).id
        assert (trimmed, cut) == (count, self._cut + count)
        self._cut = cut
        self.cuts += 1

    # --- the end
    async def _settle(self, server: Server, client: httpx.AsyncClient) -> None:
        """Everything in doubt is settled, everybody is everywhere, and everybody has heard the last posts."""
        for who in self._posters:
            await self._ask_again(client, who)
        if self._step is not None:
            await self._step.make(client)
        last = set()
        for room in self._rooms:
            back = {"otherUsers": [self._wanderer.id]}
            await Request(self._posters[0], f"/room/invite/{room}", back, None).make(client)
            request = Request(self._posters[0], f"/room/post/{room}", {"content": f"last-{room}"}, None)
            self.requests.append(request)
            await request.make(client)
            last.add(f"last-{room}")
        await self._settle_ears(server, last)

    async def _settle_ears(self, server: Server, last: set[str]) -> None:
        """Until all have heard the last posts."""
        async with trio.open_nursery() as nursery:
            for ears in self._ears:
                nursery.start_soon(ears.listen, server.socket_url)
            with trio.fail_after(60):
                for ears in self._ears:
                    await ears.wait_for(lambda frames: last <= {f.get("content") for f in frames[-200:]})
            nursery.cancel_scope.cancel()

    async def _verify(self, server: Server, client: httpx.AsyncClient) -> None:
        stored = {room: await self._posts(client, room) for room in self._rooms}
        self._verify_requests([post for posts in stored.values() for post in posts])
        for ears in self._ears:
            positions = [read_cursor(self._seal, frame["cursor"]).id for frame in ears.frames]
            assert positions == sorted(set(positions)), "a listener heard something twice or out of order"
            await self._verify_recovery(server, ears)
            await self._verify_truth(server, ears)
        for ears in self._ears[: len(self._stayers)]:
            for room, posts in stored.items():
                heard = [f["postId"] for f in ears.frames if f["type"] == "NewPost" and f["roomId"] == room]
                first = heard[0] if heard else 0
                assert heard == [post["id"] for post in posts if post["id"] >= first], (
                    "a listener missed a post"
                )

    async def _posts(self, client: httpx.AsyncClient, room: int) -> list[Message]:
        found: list[Message] = []
        before = ""
        while True:
            path = f"/room/readAll/{room}?limit=1000{before}"
            page = (await client.get(path, headers=self._stayers[0].headers)).json()
            found = page["posts"] + found
            if not page["more"]:
                return found
            before = f"&before={page['posts'][0]['id']}"

    def _verify_requests(self, posts: list[Message]) -> None:
        counts = Counter(post["content"] for post in posts)
        ids = {post["content"]: post["id"] for post in posts}
        asked = {request.body["content"] for request in self.requests}
        assert set(counts) <= asked
        for request in self.requests:
            content = request.body["content"]
            if request.answer is not None:
                self.lost += counts[content] == 0
                assert ids.get(content) == request.answer["postId"]
            self.doubled += counts[content] > 1
        assert (self.lost, self.doubled) == (0, 0)

    async def _recovered(self, server: Server, who: Who, cursor: str) -> tuple[Message, list[Message]]:
        url = f"{server.socket_url}/room/websocket?token={who.token}&since={cursor}"
        async with listening(url) as listener:
            resumed = await listener.message()
            return resumed, [await listener.message() for _ in range(resumed["missed"])]

    async def _verify_recovery(self, server: Server, ears: Ears) -> None:
        """What came in pieces, over all those deaths, is what one recovery of it all gives."""
        kept = [f for f in ears.frames if read_cursor(self._seal, f["cursor"]).id >= self._cut]
        resumed, frames = await self._recovered(server, ears.who, kept[0]["cursor"])
        assert resumed["recovered"] is True
        assert frames == kept[1:]

    async def _verify_truth(self, server: Server, ears: Ears) -> None:
        """`recovered` is true exactly where the log still reaches."""
        for frame in self._chance.sample(ears.frames, min(self.truths, len(ears.frames))):
            reaches = read_cursor(self._seal, frame["cursor"]).id >= self._cut
            resumed, _ = await self._recovered(server, ears.who, frame["cursor"])
            assert resumed["recovered"] is reaches
            self.false_recoveries += not reaches

    def report(self) -> str:
        acknowledged = sum(request.answer is not None for request in self.requests)
        frames = sum(len(ears.frames) for ears in self._ears)
        return (
            f"{self.kills} kills, {self.cuts} cuts of the log; {len(self.requests)} posts asked for, {acknowledged}"
            f" acknowledged, {self.lost} lost, {self.doubled} twice; {frames} frames over"
            f" {sum(ears.resumptions for ears in self._ears)} resumptions, every one recovered;"
            f" {self.joined} notifications joined to another;"
            f" {self.false_recoveries} cursors from before a cut, every one told so"
        )
