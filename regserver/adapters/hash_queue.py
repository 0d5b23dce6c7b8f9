"""The queue of password hashes: few at once, a turn for each client, bounded in time.

    run → a place is free          → a thread
        → the line of the client   → its turn, round robin over the clients   → a thread
                                   → its client is gone, or it is cancelled   → given up
                                   → WAIT_SECONDS are over                    → HasherBusy

A hash takes tens of milliseconds of a processor, so a few hundred sign-ins at once would make everybody wait for seconds.
The lines make the clients of one network wait for each other alone.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import trio

from regserver.ports.password_hasher import HashClient, HasherBusy, hash_client

WAIT_SECONDS = 2.0
"""The longest wait for a turn. It also bounds the work that waits."""

T = TypeVar("T")


class _Turn:
    """One hash that waits. called: its wait is over. granted: with a place."""

    __slots__ = ("called", "client", "granted")

    def __init__(self, client: HashClient) -> None:
        self.client = client
        self.called = trio.Event()
        self.granted = False


class HashQueue:
    """places: hashes at once."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._limiter = trio.CapacityLimiter(places)
        # The clients with waiting hashes, in the order of their next turns.
        self._lines: dict[str, deque[_Turn]] = {}

    async def run(self, work: Callable[[], T]) -> T:
        """Runs `work` in a thread, in turn. Raises HasherBusy."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(_Turn(hash_client.get()))
        try:
            return await trio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._leave()

    async def _wait(self, turn: _Turn) -> None:
        line = self._lines.setdefault(turn.client.key, deque())
        line.append(turn)
        try:
            with trio.move_on_after(WAIT_SECONDS):
                await turn.called.wait()
        except trio.Cancelled:
            self._give_up(turn)
            raise
        if not turn.granted:
            self._give_up(turn)
            raise HasherBusy

    def _give_up(self, turn: _Turn) -> None:
        if turn.granted:
            self._leave()
        elif not turn.called.is_set():
            line = self._lines[turn.client.key]
            line.remove(turn)
            if not line:
                del self._lines[turn.client.key]

    def _leave(self) -> None:
        """Gives the place to the next turn of another client, or of the same if no other waits."""
        while self._lines:
            key = next(iter(self._lines))
            line = self._lines.pop(key)
            turn = line.popleft()
            if line:
                self._lines[key] = line
            turn.granted = not turn.client.gone()
            turn.called.set()
            if turn.granted:
                return
        self._free += 1
