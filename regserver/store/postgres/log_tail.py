"""The one tail of the event log, by which a node learns of every event, its own too, in the order of the log.

Units commit side by side, and their tasks wake up in any order. Events become visible in the order of their ids, since
Lock.LOG is held from the append to the commit. So reading what follows the last position misses nothing.

    commit → wake → read the events after the position → the listener, in order → those who waited for their own

The log may go back: a standby that lacks the last commits becomes the primary, or the database is restored. Then the event at
the position is not in it, by id and time, though later ones may have its id. Or a node is held up for longer than events are kept.
The loss listener is told, and the tail goes on behind the end of the log.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import trio

from regserver.domain.room_event import START, EventId, Position, RoomEvent
from regserver.ports.store import EventListener, LossListener, StoreFault

log = logging.getLogger("regserver.store")

RETRY_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 2.0
"""How long a unit waits for its events to be heard; they are committed, whatever happens."""
PAGE: Final = 500

LogPage = Sequence[tuple[Position, RoomEvent | None]]


class LogWentBack(msgspec.Struct, frozen=True):
    """The log does not have the position. end: that of the log now."""

    end: Position


ReadAfter = Callable[[Position, int], Awaitable[LogPage | LogWentBack]]
"""Reads what follows a position, at most so many, in order; None for what nobody is to hear. Raises StoreFault."""


class LogTail:
    """position: the last event that was heard, or passed over. losses: how often the log has gone back."""

    def __init__(self, read_after: ReadAfter) -> None:
        self.position = START
        self.losses = 0
        self.listener: EventListener = lambda events: None
        self.loss_listener: LossListener = lambda end: None
        self._read_after = read_after
        self._own: dict[EventId, RoomEvent] = {}
        self._wake = trio.Event()
        self._moved = trio.Event()

    async def hear(self, events: Sequence[RoomEvent]) -> None:
        """Wakes the tail, and waits until it has come past these committed events of this node, but not for ever."""
        self._own |= {event.id: event for event in events if event.id > self.position.id}
        last = max(event.id for event in events)
        self._wake.set()
        with trio.move_on_after(WAIT_SECONDS, shield=True):
            while self.position.id < last:
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
        if isinstance(page, LogWentBack):
            self._go_back(page.end)
            return True
        if page:
            self._move(page[-1][0])
            found = [self._own_or(position, event) for position, event in page]
            self.listener([event for event in found if event is not None])
        return len(page) == PAGE

    def _own_or(self, position: Position, event: RoomEvent | None) -> RoomEvent | None:
        """This node's own are told as they were made, also where their post is gone by now."""
        own = self._own.pop(position.id, None)
        return own if own is not None and own.position == position else event  # not one that was lost

    def _go_back(self, end: Position) -> None:
        log.warning(
            "the event log does not go on behind event %d, which this node has told, and ends at %d: commits were lost, as by a"
            " fail-over, or events were removed before this node had read them. It closes its room sockets, and their clients"
            " come again",
            self.position.id,
            end.id,
        )
        self.losses += 1
        self._own.clear()
        self._move(end)
        self.loss_listener(end.id)

    def _move(self, position: Position) -> None:
        self.position = position
        self._moved.set()
        self._moved = trio.Event()
