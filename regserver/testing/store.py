"""The store of a test server: the real one, and faults before it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from regserver.domain.instant import Instant
from regserver.log import request_id
from regserver.ports.store import (
    EventListener,
    ForeignListener,
    LossListener,
    Store,
    StoreFault,
    TextListener,
)
from regserver.ports.transaction import Transaction
from regserver.testing.event import EventLog
from regserver.testing.fault import Faults

T = TypeVar("T")


class FaultyStore(Store):
    """Faults meet what requests ask of the store; the server's own upkeep goes on. events: hears what is committed."""

    def __init__(self, inner: Store, faults: Faults, events: EventLog) -> None:
        self.commits = inner.commits
        self._inner = inner
        self._faults = faults
        self._events = events

    def listen(self, listener: EventListener) -> None:
        """Lets the log of events hear it too."""
        self._inner.listen(self._events.tee(listener))

    def listen_loss(self, listener: LossListener) -> None:
        """As the store."""
        self._inner.listen_loss(listener)

    def listen_elsewhere(self, listener: ForeignListener) -> None:
        """As the store."""
        self._inner.listen_elsewhere(listener)

    def listen_texts(self, listener: TextListener) -> None:
        """As the store."""
        self._inner.listen_texts(listener)

    def say_nowait(self, text: str) -> None:
        """As the store."""
        self._inner.say_nowait(text)

    async def time(self) -> Instant | None:
        """As the store."""
        return await self._inner.time()

    def keep_time(self, now: Callable[[], Instant]) -> None:
        """As the store."""
        self._inner.keep_time(now)

    def now(self) -> Instant:
        """As the store."""
        return self._inner.now()

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Refuses where the link drops: there is nothing to lose."""
        return await self._met(self._inner.read, work)

    async def look_up(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """As read."""
        return await self._met(self._inner.look_up, work)

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """A link that drops does so after the commit: the caller cannot know."""
        return await self._met(self._inner.write, work)

    async def check(self) -> None:
        """As the store, which is said to be down while it refuses."""
        if self._faults.is_refusing("store"):
            raise StoreFault("refused, as the test wants")
        await self._inner.check()

    async def _met(
        self,
        run: Callable[[Callable[[Transaction], Awaitable[T]]], Awaitable[T]],
        work: Callable[[Transaction], Awaitable[T]],
    ) -> T:
        fault = await self._faults.meet("store") if request_id.get() else None
        if fault == "refuse":
            raise StoreFault("refused, as the test wants")
        result = await run(work)
        if fault == "drop":
            raise StoreFault("the connection was lost, as the test wants")
        return result
