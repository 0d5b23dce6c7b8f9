"""Deletion and erasure on a real store, for the tests of services."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.domain.account import Account, AccountId
from regserver.domain.instant import DAY, Duration, Instant
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.ports.transaction import Lock, Transaction
from regserver.service.account_end import close_locked, restore_locked
from regserver.service.deletion_service import DeletionService
from regserver.service.erasure_service import ErasurePolicy, ErasureService
from regserver.service.identity_service import IdentityService
from tests.fake import JOURNAL_SEAL, NAME_HASH
from tests.guess import open_guard

GRACE = Duration(7 * DAY)


def open_erasure(store: Store, clock: Clock, grace: Duration = GRACE) -> ErasureService:
    return ErasureService(store, clock, JOURNAL_SEAL, NAME_HASH, ErasurePolicy(grace))


def open_deletion(
    store: Store, clock: Clock, identity: IdentityService, broker: Broker, grace: Duration = GRACE
) -> DeletionService:
    hasher = Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26)
    guard = open_guard(store, clock)
    return DeletionService(identity, guard, hasher, broker, open_erasure(store, clock, grace))


async def close_account(transaction: Transaction, account: Account, now: Instant) -> bool:
    await transaction.lock(Lock.ACCOUNT, account.id)
    return await close_locked(transaction, account, now)


async def restore_account(transaction: Transaction, account: AccountId, now: Instant) -> bool:
    await transaction.lock(Lock.ACCOUNT, account)
    return await restore_locked(transaction, account, now)
