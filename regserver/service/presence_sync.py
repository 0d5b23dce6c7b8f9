"""Presence over several nodes: each tells in the store who is present on it, and reads what the others tell.

    comes and goes here → waits → one unit of work each second → its version grows
    other runs → alive? → a new version? → who is there → their rooms, as of a position of the log → the hub

A node that was killed shows no sign of life any more, and its people have gone (NodeSight). While nobody here hears
of presence, nothing is read.
"""

import logging
from collections.abc import Collection, Iterable
from typing import Final

import trio

from regserver.domain.account import AccountId
from regserver.domain.instant import Duration
from regserver.domain.room import RoomId
from regserver.domain.room_event import EventId
from regserver.ports.clock import Clock
from regserver.ports.presence_hub import PresenceHub
from regserver.ports.presence_link import PresenceLink
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.node_sight import NodeSight

log = logging.getLogger("regserver.presence")

POLL_SECONDS: Final = 1.0
PEOPLE_IN_A_STEP: Final = 100
"""Whose rooms are read in one unit of work."""


class SeenRun:
    """Another run, as it was read last."""

    def __init__(self) -> None:
        self.version = 0
        self.people: frozenset[AccountId] = frozenset()


class PresenceSync(PresenceLink):
    """run: the number of this process. lease: of a node's name; see NodeLease."""

    def __init__(self, store: Store, clock: Clock, hub: PresenceHub, run: bytes, lease: Duration) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._own = run
        self._sight = NodeSight(clock, lease)
        self._untold: dict[AccountId, bool] = {}
        self._seen: dict[bytes, SeenRun] = {}
        self._elsewhere: frozenset[AccountId] = frozenset()
        self._beginnings = 0

    # --- as a link
    def came_nowait(self, account: AccountId) -> None:
        """To be told."""
        self._untold[account] = True

    def went_nowait(self, account: AccountId) -> None:
        """To be told."""
        self._untold[account] = False

    def begin_anew_nowait(self) -> None:
        """What is read now is read again."""
        self._beginnings += 1
        self._elsewhere = frozenset()
        self._seen.clear()

    # --- its work
    async def run(self) -> None:
        """Runs until cancelled; a store that fails is tried again."""
        self._hub.link_nowait(self)
        while True:
            try:
                await self.step()
            except StoreFault as fault:
                log.warning("other nodes are not told of presence: %s", fault)
            await self._clock.sleep(POLL_SECONDS)

    async def step(self) -> None:
        """Tells, and reads what the others tell. Raises StoreFault."""
        await self._tell()
        if self._hub.is_asked():
            await self._read()
        elif self._elsewhere:
            self._leave(self._elsewhere)
            self._seen.clear()

    async def _tell(self) -> None:
        untold, self._untold = self._untold, {}
        if not untold:
            return
        came = [account for account, here in untold.items() if here]
        went = [account for account, here in untold.items() if not here]

        async def work(transaction: Transaction) -> None:
            await transaction.presences.sweep()
            await transaction.presences.tell(self._own, came, went)

        try:
            await self._store.write(work)
        except StoreFault:
            self._untold = untold | self._untold
            raise

    async def _read(self) -> None:
        runs = await self._store.read(lambda transaction: transaction.presences.runs())
        living = self._sight.living({run.run: run.beats for run in runs}) - {self._own}
        alive = [run for run in runs if run.run in living]
        for run in alive:
            seen = self._seen.setdefault(run.run, SeenRun())
            if seen.version != run.version:
                number = run.run
                seen.people = await self._store.read(
                    lambda transaction: transaction.presences.of_run(number)  # noqa: B023  (awaited here)
                )
                seen.version = run.version
        for gone in self._seen.keys() - {run.run for run in runs}:
            del self._seen[gone]
        people = frozenset[AccountId]().union(*(self._seen[run.run].people for run in alive))
        self._leave(self._elsewhere - people)
        await self._arrive(people - self._elsewhere)

    def _leave(self, accounts: Iterable[AccountId]) -> None:
        for account in accounts:
            self._hub.go_elsewhere_nowait(account)
            self._elsewhere -= {account}

    async def _arrive(self, accounts: Collection[AccountId]) -> None:
        people = list(accounts)
        for first in range(0, len(people), PEOPLE_IN_A_STEP):
            step, beginnings = people[first : first + PEOPLE_IN_A_STEP], self._beginnings
            rooms, end = await self._store.read(lambda transaction: _rooms(transaction, step))  # noqa: B023
            if beginnings != self._beginnings:
                return  # the rooms are of a log that has gone back
            arrived = {one for one in step if self._hub.come_elsewhere_nowait(one, rooms[one], end)}
            self._elsewhere |= arrived  # whoever is missing is read again
            await trio.lowlevel.checkpoint()


async def _rooms(
    transaction: Transaction, people: Collection[AccountId]
) -> tuple[dict[AccountId, tuple[RoomId, ...]], EventId]:
    rooms = {account: await transaction.rooms.of_account(account) for account in people}
    return rooms, (await transaction.events.end()).id
