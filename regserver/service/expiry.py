"""Removing expired rows and old events, so that tables stay small. Readers check the times too: it need not be punctual.

It needs no lock: each statement compares the times itself, so several nodes may run it at once.
"""

import logging
from collections.abc import Callable

from regserver.domain.instant import DAY, Duration, Instant
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.ports.transaction import Transaction
from regserver.service.membership_service import OFFER_TTL

log = logging.getLogger("regserver.expiry")

INTERVAL_SECONDS = 300.0
TRIM_INTERVAL_SECONDS = 60.0
TRIM_EVENTS = 1000
"""Events removed in one transaction, so that posts do not wait long."""
KEEP_PARKED = Duration(30 * DAY)
"""How long parked mail is kept for the operator; not longer, since it contains addresses."""

KEEP_HOOK_EVENTS = Duration(7 * DAY)
MOST_HOOK_EVENTS = 1_000_000
"""What webhooks were told is kept so long, and no more of it, to be told again."""


JobObserver = Callable[[str, bool], None]
"""Told of each run of a job: its name, and whether it was done."""


async def run_expiry(store: Store, clock: Clock, ran: JobObserver = lambda job, done: None) -> None:
    """Purges every INTERVAL_SECONDS until cancelled; a store that fails is tried again next time."""
    while True:
        await clock.sleep(INTERVAL_SECONDS)
        try:
            await store.write(lambda transaction: purge(transaction, clock))
        except StoreFault as fault:
            log.warning("expired rows were not removed: %s", fault)
            ran("expiry", False)
        else:
            ran("expiry", True)


async def run_trim(
    store: Store, clock: Clock, retention: Duration, ran: JobObserver = lambda job, done: None
) -> None:
    """Removes events older than `retention` until cancelled; a store that fails is tried again next time."""
    while True:
        await clock.sleep(TRIM_INTERVAL_SECONDS)
        try:
            await trim_log(store, clock, retention)
        except StoreFault as fault:
            log.warning("the event log was not trimmed: %s", fault)
            ran("trim", False)
        else:
            ran("trim", True)


async def run_audit_trim(store: Store, clock: Clock, keep: Duration) -> None:
    """Removes rows of the audit older than `keep` until cancelled, as above."""
    while True:
        await clock.sleep(INTERVAL_SECONDS)
        try:
            await trim_audit(store, clock, keep)
        except StoreFault as fault:
            log.warning("the audit was not trimmed: %s", fault)


async def purge(transaction: Transaction, clock: Clock) -> None:
    """Removes expired rows of all tables, in one transaction."""
    now = clock.now()
    await transaction.outbox.purge(Instant(now - KEEP_PARKED))
    await transaction.names.purge(now)
    await transaction.tokens.purge(now)
    await transaction.session_endings.purge()
    await transaction.links.purge(now)
    await transaction.codes.purge(now)
    await transaction.invitations.purge(now)
    await transaction.operators.purge(now)
    await transaction.factors.purge(now)
    await transaction.passkeys.purge(now)
    await transaction.guesses.purge(now)
    await transaction.networks.purge(now)
    await transaction.directory.purge(now)
    await transaction.registrations.purge(now)
    await transaction.budgets.purge(now)
    await transaction.sms.purge(now)
    await transaction.solutions.purge(now)
    await transaction.idempotency.purge(now)
    await transaction.allowances.purge(now)
    await transaction.hooks.purge(Instant(now - KEEP_HOOK_EVENTS), MOST_HOOK_EVENTS)
    await transaction.offers.purge(Instant(now - OFFER_TTL))


async def trim_log(store: Store, clock: Clock, retention: Duration) -> int:
    """Removes events older than `retention`, TRIM_EVENTS a transaction; how many. Raises StoreFault."""
    before = Instant(clock.now() - retention)
    total = 0
    while count := await store.write(lambda transaction: transaction.events.trim(before, TRIM_EVENTS)):
        total += count
    await store.write(lambda transaction: transaction.posts.forget_originals(before))
    return total


async def trim_audit(store: Store, clock: Clock, keep: Duration) -> int:
    """Removes rows of the audit older than `keep`, in the same way. Raises StoreFault."""
    before = Instant(clock.now() - keep)
    total = 0
    while count := await store.write(lambda transaction: transaction.audit.trim(before, TRIM_EVENTS)):
        total += count
    return total
