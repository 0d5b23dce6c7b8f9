"""A load on two nodes that bears their faults: somebody posts at each, somebody listens at each, and all is remembered."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import trio

from regserver.adapters.server_key import load_server_key
from regserver.domain.cursor import CursorSeal
from tests.crash.actor import Ears, Request, StoreAway, Who, read_cursor
from tests.crash.fleet import NAMES, Fleet
from tests.crash.history import Frames, Verdict, compare
from tests.system.server import sign_up

PAUSE = 0.02
LAST = "last"


class NodeLoad:
    """refused: answers that the store is away. acknowledged: contents that somebody was promised."""

    def __init__(self, folder: Path, fleet: Fleet) -> None:
        self.fleet = fleet
        self.clients = fleet.clients
        self._key = folder / "shared.key"
        self.acknowledged: list[str] = []
        self.refused = 0
        self._is_over = False

    async def settle_in(self) -> None:
        """People, their room, and the sockets' beginnings."""
        client = self.fleet.clients["one"]
        people = [await sign_up(client, name) for name in ("ann", "bob", "eve")]
        self.ann, self.bob, self.eve = [
            Who(name, each.id, each.token) for name, each in zip(("ann", "bob", "eve"), people, strict=True)
        ]
        create = Request(self.ann, "/room/create", {"otherUsers": [self.bob.id, self.eve.id]}, None)
        await create.make(client)
        assert create.answer is not None
        self.room: int = create.answer["roomId"]
        self.seal = CursorSeal(load_server_key(self._key).derive("cursor"))
        self.ears = {name: Ears(self.eve, self.seal) for name in NAMES}

    async def _listen(self, name: str) -> None:
        """Keeps the socket at this node, until cancelled."""
        while True:
            await self.ears[name].listen(self.fleet.socket_url(name))
            await trio.sleep(0.05)

    async def _write(self, name: str, who: Who) -> None:
        """Posts at this node until it is over, each post until it is acknowledged."""
        number = 0
        while not self._is_over:
            number += 1
            await self.post(name, who, f"{who.name}-{number}")
            await trio.sleep(PAUSE)

    async def post(self, name: str, who: Who, content: str) -> None:
        """Asks for a post at this node until it is acknowledged."""
        request = Request(who, f"/room/post/{self.room}", {"content": content}, f"key-{content}")
        while request.answer is None:
            try:
                await request.make(self.fleet.clients[name])
            except StoreAway:
                self.refused += 1
                await trio.sleep(0.1)
            except httpx.TransportError:
                await trio.sleep(0.1)
        self.acknowledged.append(content)

    async def bear(self, fault: Callable[[], Awaitable[None]], *, is_loaded: bool = True) -> Verdict:
        """Runs the fault, under load unless told otherwise; returns what the sockets say of it."""
        async with trio.open_nursery() as nursery:
            for name in NAMES:
                nursery.start_soon(self._listen, name)
            for ears in self.ears.values():
                await ears.begun.wait()
            await (self._under_load(fault) if is_loaded else fault())
            await self.post("two", self.ann, LAST)
            with trio.fail_after(60):
                for ears in self.ears.values():
                    await ears.wait_for(lambda frames: any(f.get("content") == LAST for f in frames[-9:]))
            nursery.cancel_scope.cancel()
        return compare({name: self._frames(name) for name in NAMES}, self.acknowledged)

    async def _under_load(self, fault: Callable[[], Awaitable[None]]) -> None:
        async with trio.open_nursery() as load:
            load.start_soon(self._write, "one", self.ann)
            load.start_soon(self._write, "two", self.bob)
            await self._until_acknowledged(20)
            await fault()
            await self._until_acknowledged(len(self.acknowledged) + 20)
            self._is_over = True

    async def _until_acknowledged(self, count: int) -> None:
        with trio.fail_after(60):
            while len(self.acknowledged) < count:  # noqa: ASYNC110  (nothing tells)
                await trio.sleep(0.01)

    def _frames(self, name: str) -> Frames:
        return [(read_cursor(self.seal, frame["cursor"]).id, frame) for frame in self.ears[name].frames]

    def contents(self, name: str) -> list[str]:
        """Of the posts that the socket at this node heard."""
        return [frame["content"] for frame in self.ears[name].frames if frame["type"] == "NewPost"]
