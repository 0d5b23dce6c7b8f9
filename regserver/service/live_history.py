"""What is shown of a live registration: its events, and the observers that are told of further ones.

Observers read at their own pace, and nobody waits for them.
"""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import trio

from regserver.domain.live_progress import ProgressEvent
from regserver.ports.clock import Clock

TOLD_PER_TURN = 200
"""Observers between two checkpoints, so that many of them do not delay other tasks."""


class Observer(Protocol):
    """Somebody who watches a registration."""

    def more_nowait(self) -> None:
        """The history has grown. Neither blocks nor raises."""


class Shown(msgspec.Struct, frozen=True):
    """An event of the history. ends_at: the end as estimated then, as Clock.elapsed counts; None if unknown."""

    event: ProgressEvent
    ends_at: float | None


@dataclass(slots=True, eq=False, repr=False, kw_only=True, weakref_slot=True)  # a repr would show the token
class LiveHistory:
    """The events of a registration that runs here or on another node. language: of the server's messages to all.

    over: whether the history is complete. is_cut: whether this node shows no more of it, though it is not over.
    """

    clock: Clock
    language: str
    history: list[Shown] = field(default_factory=list)
    over: bool = False
    is_cut: bool = False
    _grown: trio.Event = field(default_factory=trio.Event)
    _observers: dict[Observer, None] = field(default_factory=dict)

    @property
    def interrupted(self) -> bool:
        """Whether a shutdown of this node ended it."""
        return False

    def append(self, event: ProgressEvent, ends_at: float | None) -> None:
        """Appends an event, for those who wait in `more`."""
        self.history.append(Shown(event, ends_at))
        self.over = event.is_last
        self._wake()

    def cut(self) -> None:
        """Ends streams of it: their clients go on at another node."""
        self.is_cut = True
        self._wake()

    def _wake(self) -> None:
        # A trio.Event cannot be reset: waiting observers have this one, later ones get a new one.
        self._grown.set()
        self._grown = trio.Event()

    def eta_seconds(self, shown: Shown) -> int | None:
        """Whole seconds from now to the end as estimated at that event; at least 1 before the end, 0 after it."""
        if self.over:
            return 0
        if shown.ends_at is None:
            return None
        return max(1, round(shown.ends_at - self.clock.elapsed()))

    async def more(self, seen: int) -> bool:
        """Waits until the history is longer than `seen`; False when no more will come."""
        while len(self.history) <= seen:
            if self.over or self.is_cut:
                return False
            await self._grown.wait()
        return True

    # --- observers that are told
    def attach(self, observer: Observer) -> None:
        """Adds an observer, which is told from now on."""
        self._observers[observer] = None

    def detach(self, observer: Observer) -> None:
        """Removes an observer; none is no error."""
        self._observers.pop(observer, None)

    async def tell(self) -> None:
        """Tells the observers until the history is complete. What has come in one step of the loop is told at once."""
        told = 0
        while await self.more(told):
            told = len(self.history)
            await self.tell_once()

    async def tell_once(self) -> None:
        """Tells the observers of what there is by now."""
        for number, observer in enumerate(list(self._observers), 1):
            observer.more_nowait()
            if number % TOLD_PER_TURN == 0:
                await trio.lowlevel.checkpoint()

    def tell_nowait(self) -> None:
        """Tells all of them at once: for an end that came when `tell` had been cancelled."""
        for observer in list(self._observers):
            observer.more_nowait()
