"""The one tail of the event log, by which a node learns of every event, its own too, in the order of the log.

Units commit side by side, and their tasks wake up in any order. Events become visible in the order of their ids, since
Lock.LOG is held from the append to the commit. So reading what follows the last position misses nothing.

    commit → wake → read the events after the position → the listener, in order → those who waited for their own
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from regserver.domain.room_event import EventId, RoomEvent
from regserver.ports.store import EventListener, StoreFault

RETRY_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 2.0
"""How long a unit waits for its events to be heard; they are committed, whatever happens."""
PAGE: Final = 500

LogPage = Sequence[tuple[EventId, RoomEvent | None]]
ReadAfter = Callable[[EventId, int], Awaitable[LogPage]]
"""Reads what follows an id, at most so many, in order; None for what nobody is to hear. Raises StoreFault."""


class LogTail:
    """position: the last event that was heard, or passed over."""

    def __init__(self, read_after: ReadAfter) -> None:
        self.position = EventId(0)
        self.listener: EventListener = lambda events: None
        self._read_after = read_after
        self._own: dict[EventId, RoomEvent] = {}
        self._wake = trio.Event()
        self._moved = trio.Event()

    async def hear(self, events: Sequence[RoomEvent]) -> None:
        """Wakes the tail, and waits until it has come past these committed events of this node, but not for ever."""
        self._own |= {event.id: event for event in events if event.id > self.position}
        last = max(event.id for event in events)
        self._wake.set()
        with trio.move_on_after(WAIT_SECONDS, shield=True):
            while self.position < last:
                await self._moved.wait()

    def wake_nowait(self) -> None:
        """There may be events of other nodes."""
        self._wake.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            try:
                while await self._read():
                    pass
            except StoreFault:  # whoever uses the store is told
                await trio.sleep(RETRY_SECONDS)
                self._wake.set()

    async def _read(self) -> bool:
        """Tells whether there may be more."""
        page = await self._read_after(self.position, PAGE)
        if page:
            self.position = page[-1][0]
            # This node's own are told as they were made, also where their post is gone by now.
            found = [self._own.pop(number, event) for number, event in page]
            self.listener([event for event in found if event is not None])
            self._moved.set()
            self._moved = trio.Event()
        return len(page) == PAGE
