"""What other processes have ended, read from the store: each ending once, whatever the order in which they become visible.

    ids   … handled and settled │ handled, or not visible yet │ new
                             settled

An id that is lower than one that was read may still become visible, for as long as a unit of work may take. So ids of the
last SETTLE_SECONDS are read again, and those that were handled are passed over.
"""

from collections import deque
from collections.abc import Sequence

import msgspec

from regserver.domain.account import AccountId
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

SETTLE_SECONDS = 60.0
"""Longer than any unit of work takes."""
AT_START = 1000
"""Those before the start that are read, since one of them may be of a unit that still runs."""


class ForeignEndings(msgspec.Struct, frozen=True):
    """accounts: whose sessions have ended. is_whole: False if there may be others that are no longer kept."""

    accounts: frozenset[AccountId]
    is_whole: bool


class SessionEndings:
    """The endings in a store, for one process. Its own are among them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._settled: int | None = None  # up to this id all are handled
        self._handled: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()  # when which id was the greatest

    async def next(self) -> ForeignEndings:
        """Those that have become visible since the last call. Raises StoreFault."""

        async def read(transaction: Transaction) -> tuple[int, int, Sequence[tuple[int, AccountId]]]:
            least, greatest = await transaction.session_endings.ends()
            after = max(0, greatest - AT_START) if self._settled is None else self._settled
            found = await transaction.session_endings.after(after)
            return least, after, [(each.id, each.account_id) for each in found]

        least, after, found = await self._store.look_up(read)
        new = frozenset(account for number, account in found if number not in self._handled)
        is_whole = self._settled is None or least <= after + 1
        self._handled.update(number for number, _ in found)
        self._settle(after, max([after, *(number for number, _ in found)]))
        return ForeignEndings(new, is_whole)

    def _settle(self, settled: int, greatest: int) -> None:
        now = self._clock.elapsed()
        if not self._marks or self._marks[-1][1] != greatest:
            self._marks.append((now, greatest))
        while self._marks and self._marks[0][0] < now - SETTLE_SECONDS:
            settled = max(settled, self._marks.popleft()[1])
        self._settled = settled
        self._handled = {number for number in self._handled if number > settled}
