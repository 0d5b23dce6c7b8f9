"""Removing what has lapsed, so that tables stay as small as what they are for. Nothing relies on it being on time."""

import logging

import trio

from regserver.domain.instant import DAY, Duration, Instant
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction

log = logging.getLogger("regserver.expiry")

INTERVAL_SECONDS = 300.0
KEEP_PARKED = Duration(30 * DAY)
"""Mail that was set aside is kept for the operator this long; it holds people's addresses."""


async def run_expiry(store: Store, clock: Clock) -> None:
    """Runs until cancelled; a store that fails is tried again next time."""
    while True:
        await trio.sleep(INTERVAL_SECONDS)
        try:
            await store.write(lambda transaction: purge(transaction, clock))
        except StoreFault as fault:
            log.warning("nothing was removed: %s", fault)


async def purge(transaction: Transaction, clock: Clock) -> None:
    """One round over all tables that hold things with a life."""
    now = clock.now()
    await transaction.names.purge(now)
    await transaction.tokens.purge(now)
    await transaction.directory.purge(now)
    await transaction.outbox.purge(Instant(now - KEEP_PARKED))
    await transaction.registrations.purge(now)
    await transaction.budgets.purge(now)
    await transaction.idempotency.purge(now)
