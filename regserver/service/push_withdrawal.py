"""Withdrawing messages of Web Push whose people have a socket at this node, on a store that several nodes share.

    any node: an event → a message, due in SHARED_WAIT at the earliest
    the node of a socket: twice a second → whose messages wait? → those of people who are here are removed

So no node needs to know the sockets of the others, and a node that was killed leaves nothing behind that says who is there.
"""

import logging
from collections.abc import Callable, Collection
from typing import Final

from regserver.domain.account import AccountId
from regserver.domain.instant import SECOND, Duration
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction

log = logging.getLogger("regserver.push")

LOOK_SECONDS: Final = 0.5
SHARED_WAIT: Final = Duration(3 * SECOND)
"""What a message waits at least: some looks of a node that is busy."""
MOST_LOOKED_AT: Final = 10_000
"""People whose messages are due first."""


class PushWithdrawal:
    """present: the accounts with a socket at this node."""

    def __init__(self, store: Store, clock: Clock, present: Callable[[], Collection[AccountId]]) -> None:
        self._store = store
        self._clock = clock
        self._present = present

    async def run(self) -> None:
        """Looks until cancelled; a store that fails is asked again."""
        while True:
            try:
                await self.step()
            except StoreFault as fault:
                log.warning("push messages of people who are here cannot be withdrawn: %s", fault)
            await self._clock.sleep(LOOK_SECONDS)

    async def step(self) -> int:
        """One look; returns of how many people messages were withdrawn. Raises StoreFault."""
        if not self._present():
            return 0
        awaited = await self._store.look_up(
            lambda transaction: transaction.push_queue.awaited(MOST_LOOKED_AT)
        )
        present = self._present()
        here = [account for account in awaited if account in present]
        if here:

            async def work(transaction: Transaction) -> None:
                await transaction.push_queue.withdraw(here)

            await self._store.write(work)
        return len(here)
