"""A bound on the different contacts that one client may ask about in a day, so that nobody can try lists of numbers.

The count is in the store, one row for each network that asks, over all nodes. Which contacts were counted is remembered here,
bounded: after a restart, or past the bound, one may count once more. Repeated questions about a contact write nothing.
"""

from collections import OrderedDict
from typing import TypeVar

from regserver.domain.address import client_key
from regserver.domain.contact import Contact, Pepper
from regserver.domain.instant import DAY, Instant, after
from regserver.ports.budget_table import Budget
from regserver.ports.clock import Clock
from regserver.ports.store import Store

K = TypeVar("K")

MAX_SEEN = 50_000
"""Pairs of network and contact, and networks without questions left; the least recently used ones are dropped."""


class ContactCap:
    """most: different contacts of one network in 24 hours."""

    def __init__(self, store: Store, clock: Clock, pepper: Pepper, most: int) -> None:
        self._store = store
        self._clock = clock
        self._pepper = pepper
        self._most = most
        self._counted: OrderedDict[int, Instant] = OrderedDict()
        self._refused: OrderedDict[bytes, Instant] = OrderedDict()

    async def take(self, address: str, contact: Contact) -> Instant | None:
        """Counts a question about the contact; None when it is allowed, else when the next one is. Raises StoreFault.

        address: the client's; a client without one is not counted.
        """
        if not address:
            return None
        now, network = self._clock.now(), client_key(address)
        pair = hash((network, contact.kind, contact.value))  # Python's own, keyed anew by each process
        if _get(self._counted, pair, now) is not None:
            return None
        key = self._pepper.budget_key("contacts", network)
        if (until := _get(self._refused, key, now)) is not None:
            return until
        budget = Budget(key, self._most, DAY)
        until = await self._store.write(lambda transaction: transaction.budgets.spend([budget], now))
        if until is None:
            _put(self._counted, pair, after(now, DAY))
        else:
            _put(self._refused, key, until)
        return until


def _get(table: OrderedDict[K, Instant], key: K, now: Instant) -> Instant | None:
    until = table.get(key)
    if until is None or until <= now:
        return None
    table.move_to_end(key)
    return until


def _put(table: OrderedDict[K, Instant], key: K, until: Instant) -> None:
    table[key] = until
    table.move_to_end(key)
    if len(table) > MAX_SEEN:
        table.popitem(last=False)
