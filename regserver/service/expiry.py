"""Removing expired rows, so that tables stay small. Readers check the times too, so it need not be punctual.

It needs no lock: each statement compares the times itself, so several nodes may run it at once.
"""

import logging

import trio

from regserver.domain.instant import DAY, Duration, Instant
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction

log = logging.getLogger("regserver.expiry")

INTERVAL_SECONDS = 300.0
KEEP_PARKED = Duration(30 * DAY)
"""How long parked mail is kept for the operator; not longer, since it contains addresses."""


async def run_expiry(store: Store, clock: Clock) -> None:
    """Purges every INTERVAL_SECONDS until cancelled; a store that fails is tried again next time."""
    while True:
        await trio.sleep(INTERVAL_SECONDS)
        try:
            await store.write(lambda transaction: purge(transaction, clock))
        except StoreFault as fault:
            log.warning("expired rows were not removed: %s", fault)


async def purge(transaction: Transaction, clock: Clock) -> None:
    """Removes expired rows of all tables, in one transaction."""
    now = clock.now()
    await transaction.names.purge(now)
    await transaction.tokens.purge(now)
    await transaction.directory.purge(now)
    await transaction.outbox.purge(Instant(now - KEEP_PARKED))
    await transaction.registrations.purge(now)
    await transaction.budgets.purge(now)
    await transaction.idempotency.purge(now)
