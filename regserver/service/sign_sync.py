"""Typing and marks over several nodes: by the store's link, without a row.

    here → waits → one text in GAP_SECONDS at most → the link → every other node → its sockets

Beyond MOST_WAITING they are lost: typing is of the moment, and a mark is in the next list of rooms.
"""

from typing import Final

import msgspec
import trio

from regserver.domain.presence import PassedSign
from regserver.ports.clock import Clock
from regserver.ports.sign_hub import SignHub
from regserver.ports.sign_link import SignLink
from regserver.ports.store import Store

GAP_SECONDS: Final = 0.1
MOST_WAITING: Final = 100
"""Of the longest ones, so many fit into MOST_TEXT of the store."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[PassedSign, ...]).decode


class SignSync(SignLink):
    """hub: the sockets of this node."""

    def __init__(self, store: Store, clock: Clock, hub: SignHub) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._waiting: dict[PassedSign, None] = {}
        self._more = trio.Event()

    def pass_nowait(self, sign: PassedSign) -> None:
        """Once, however often it comes until then."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[sign] = None
            self._more.set()

    def hear_nowait(self, text: str) -> None:
        """Another node has said this. What is no text of ours, as of a newer version, is passed over."""
        try:
            signs = _decode(text)
        except msgspec.DecodeError:
            return
        for sign in signs:
            self._hub.hear_nowait(sign)

    async def run(self) -> None:
        """Runs until cancelled."""
        self._hub.link_signs_nowait(self)
        while True:
            await self._more.wait()
            self._more = trio.Event()
            signs, self._waiting = tuple(self._waiting), {}
            self._store.say_nowait(_encode(signs).decode())
            await self._clock.sleep(GAP_SECONDS)
