"""Deletion and erasure on a real store, for the tests of services."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.domain.instant import DAY, Duration
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.store import Store
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
