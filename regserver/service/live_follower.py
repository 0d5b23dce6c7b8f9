"""Live registrations of other nodes as this one shows them: read from the store, and read on while somebody watches.

find → the row and its events → a history → its observers hold it; when the last one goes, it is gone
a word of another node → which have grown? → their new events → the observers are told
"""

import logging
import re
from weakref import WeakValueDictionary

import trio

from regserver.domain.live_progress import RegistrationId
from regserver.ports.store import StoreFault
from regserver.service.live_history import LiveHistory
from regserver.service.live_keeper import BoardParts
from regserver.service.live_seal import row_id

log = logging.getLogger("regserver.live")

PAUSE_SECONDS = 0.05
"""Between two looks: other nodes may write all the time."""
RETRY_SECONDS = 1.0
PAGE = 500
ADDRESS = re.compile(r"u-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class LiveFollower:
    """The histories that somebody watches here."""

    def __init__(self, parts: BoardParts) -> None:
        self._parts = parts
        self._shown: WeakValueDictionary[bytes, LiveHistory] = WeakValueDictionary()
        self._changed = trio.Event()

    async def find(self, registration: RegistrationId) -> LiveHistory | None:
        """None for one that nobody knows, or that has been over for the replay time. Raises StoreFault."""
        if not ADDRESS.fullmatch(registration):
            return None
        job, parts = row_id(registration), self._parts
        row = await parts.store.look_up(lambda transaction: transaction.live.find(job))
        if row is None or (row.over_at is not None and row.over_at + parts.replay <= parts.clock.now()):
            return None
        kept = parts.seal.open_job(job, row.sealed)
        if kept is None or kept.id != registration:
            return None
        new = LiveHistory(clock=parts.clock, language=kept.language)
        history = self._shown.setdefault(job, new)
        await self._read(job, history)
        return history

    def changed_nowait(self) -> None:
        """Another node has written to the store."""
        self._changed.set()

    async def run(self) -> None:
        """Reads on after each change, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed = trio.Event()
            try:
                await self.read_on()
            except StoreFault as fault:
                log.warning("live registrations of other nodes have to wait: %s", fault)
                await self._parts.clock.sleep(RETRY_SECONDS)
                self._changed.set()
            await self._parts.clock.sleep(PAUSE_SECONDS)

    async def read_on(self) -> None:
        """Reads what is new of those that are watched. Raises StoreFault."""
        watched = {job: history for job, history in self._shown.items() if not history.over}
        if not watched:
            return
        jobs = list(watched)
        lengths = await self._parts.store.look_up(lambda transaction: transaction.live.lengths(jobs))
        for job, length in lengths.items():
            if length > len(watched[job].history):
                await self._read(job, watched[job])
                await watched[job].tell_once()

    async def _read(self, job: bytes, history: LiveHistory) -> None:
        """Page by page; two tasks may read the same."""
        while True:
            seen = len(history.history)
            page = await self._parts.store.look_up(
                lambda transaction: transaction.live.events(job, seen, PAGE)  # noqa: B023  (awaited here)
            )
            for number, sealed in enumerate(page, seen + 1):
                if number == len(history.history) + 1:
                    self._append(job, number, sealed, history)
            if len(page) < PAGE:
                return
            await trio.lowlevel.checkpoint()

    def _append(self, job: bytes, number: int, sealed: bytes, history: LiveHistory) -> None:
        kept, clock = self._parts.seal.open_event(job, number, sealed), self._parts.clock
        if kept is None:
            raise StoreFault("an event of a live registration in the store is sealed with another key")
        ends_at = None
        if kept.left_ms is not None:
            ends_at = clock.elapsed() + (kept.at + kept.left_ms - clock.now()) / 1000
        history.append(kept.event, ends_at)

    def cut(self) -> None:
        """Ends the streams of all of them."""
        for history in list(self._shown.values()):
            history.cut()
