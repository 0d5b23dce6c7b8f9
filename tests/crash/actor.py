"""Who takes part while servers are killed: people who ask for changes, and listeners who resume."""

from collections.abc import Callable
from typing import Any

import httpx
import trio
from trio_websocket import ConnectionClosed, HandshakeError

from regserver.domain.cursor import CursorSeal
from regserver.domain.room_event import Position
from tests.system.server import Listener, Message, listening


class StoreAway(Exception):
    """The server answers that it cannot reach its store; whether the change is made is in doubt."""


class Who:
    """Somebody across restarts. in_doubt: what may be asked for again, since it has a key."""

    def __init__(self, name: str, user_id: int, token: str) -> None:
        self.name = name
        self.id = user_id
        self.headers = {"authorization": f"Bearer {token}"}
        self.token = token
        self.in_doubt: list[Request] = []


class Request:
    """One change that somebody wants made. answer: what was acknowledged, None while that is in doubt."""

    def __init__(self, who: Who, path: str, body: dict[str, Any], key: str | None) -> None:
        self.who = who
        self.path = path
        self.body = body
        self.key = key
        self.answer: dict[str, Any] | None = None

    async def make(self, client: httpx.AsyncClient) -> None:
        """Raises httpx.TransportError when the server goes meanwhile, StoreAway when its store does."""
        headers = self.who.headers | ({"idempotency-key": self.key} if self.key else {})
        response = await client.post(self.path, json=self.body, headers=headers)
        if response.status_code == 503:
            raise StoreAway
        assert response.status_code in {200, 204}, (self.path, response.status_code, response.text)
        self.answer = response.json() if response.content else {}


class Ears:
    """A listener that resumes. frames: all it has read, in order."""

    def __init__(self, who: Who, seal: CursorSeal) -> None:
        self.who = who
        self._seal = seal
        self.cursor = ""
        self.frames: list[Message] = []
        self.resumptions = 0
        self.begun = trio.Event()
        self._grown = trio.Event()

    async def listen(self, address: str) -> None:
        """Until the connection ends. address: of the server, ws://…"""
        url = f"{address}/room/websocket?token={self.who.token}&since={self.cursor}"
        try:
            async with listening(url) as listener:
                await self._read(listener)
        except* (OSError, HandshakeError, ConnectionClosed):
            pass

    async def _read(self, listener: Listener) -> None:
        resumed = await listener.message()
        assert resumed["recovered"] is True, resumed
        assert self.cursor in {"", resumed["cursor"]}, resumed
        self.cursor = resumed["cursor"]
        self.resumptions += 1
        self.begun.set()
        while True:
            try:
                frame = await listener.message()
            except trio.TooSlowError:
                continue
            self.frames.append(frame)
            self.cursor = frame["cursor"]
            self._grown.set()
            self._grown = trio.Event()

    @property
    def position(self) -> Position:
        return read_cursor(self._seal, self.cursor)

    async def wait_for(self, wanted: Callable[[list[Message]], bool]) -> None:
        while not wanted(self.frames):
            await self._grown.wait()


def read_cursor(seal: CursorSeal, text: str) -> Position:
    position = seal.read(text)
    assert position is not None
    return position
