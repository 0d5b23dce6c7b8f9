"""Looks after the live registrations in a store that several nodes share.

its node shows no sign of life → FAILURE, its name is free, webhooks are told; by whichever node looks first
over for the replay time       → removed
"""

import logging

import msgspec

from regserver.domain.account import name_key
from regserver.domain.instant import Duration, Instant
from regserver.domain.live_progress import LiveMessage, failure_after
from regserver.ports.clock import Clock
from regserver.ports.live_table import LiveEnd, LiveRow
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.live_person import failed_hook, live_holder
from regserver.service.live_seal import LiveSeal, kept_event
from regserver.service.node_sight import NodeSight

log = logging.getLogger("regserver.live")

LOOK_SECONDS = 1.0
PURGE_SECONDS = 10.0


class BoardParts(msgspec.Struct, frozen=True, kw_only=True):
    """run: of this process, and lease: of its node's name, see NodeLease. replay: how long one that is over can be read.

    most: how many may run on all nodes. source: the kind of the source. keeps_names: whether the names of its people are reserved for good.
    """

    store: Store
    clock: Clock
    seal: LiveSeal
    run: bytes
    lease: Duration
    replay: Duration
    most: int
    source: str
    keeps_names: bool


class LiveKeeper:
    """own: the rows of registrations that run here."""

    def __init__(self, parts: BoardParts) -> None:
        self._parts = parts
        self._sight = NodeSight(parts.clock, parts.lease)
        self.own: set[bytes] = set()
        self._purged_at = parts.clock.elapsed()

    async def run(self) -> None:
        """Looks every LOOK_SECONDS until cancelled; a store that fails is tried again."""
        while True:
            try:
                await self.look()
            except StoreFault as fault:
                log.warning("live registrations in the store are not looked after: %s", fault)
            await self._parts.clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ends those that nobody runs any more. Raises StoreFault."""
        store = self._parts.store
        rows = await store.look_up(lambda transaction: transaction.live.running())
        nodes = await store.look_up(lambda transaction: transaction.nodes.all()) if rows else ()
        living = self._sight.living({node.run: node.beats for node in nodes})
        for row in rows:
            if self.is_left(row) or (row.run != self._parts.run and row.run not in living):
                log.warning("a live registration was ended, since its node shows no sign of life")
                await store.write(lambda transaction: self.give_up(transaction, row))  # noqa: B023  (awaited here)
        if self._parts.clock.elapsed() - self._purged_at >= PURGE_SECONDS:
            self._purged_at = self._parts.clock.elapsed()
            before = Instant(self._parts.clock.now() - self._parts.replay)
            await store.write(lambda transaction: transaction.live.purge(before))

    def is_left(self, row: LiveRow) -> bool:
        """Whether it is this process's, but none that runs: its sign-in was cancelled while it was written."""
        return row.run == self._parts.run and row.id not in self.own

    async def give_up(self, transaction: Transaction, row: LiveRow, *, frees: bool = True) -> None:
        """Ends one with FAILURE, unless it has ended meanwhile. frees: its name."""
        parts = self._parts
        if not await transaction.live.take_over(row, parts.run):
            return
        now, current = parts.clock.now(), await transaction.live.find(row.id)
        count = 0 if current is None else current.events
        newest = await transaction.live.events(row.id, count - 1, 1)
        last = parts.seal.open_event(row.id, count, newest[0]) if newest else None
        failure = failure_after(None if last is None else last.event, LiveMessage.NODE_LOST)
        sealed = parts.seal.seal_event(row.id, count + 1, kept_event(failure, now, None))
        await transaction.live.append((row.id, parts.run), count + 1, [sealed], LiveEnd(now))
        kept = parts.seal.open_job(row.id, row.sealed)
        if kept is None:
            return
        await transaction.hooks.tell(failed_hook(kept.typed, now))
        if frees and not parts.keeps_names:
            await transaction.names.release(name_key(kept.username), live_holder(kept.subject))
