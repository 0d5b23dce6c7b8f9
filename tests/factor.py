"""Second factors on a real store, for the tests of services and tables."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.authenticator_app import PyotpMethod
from regserver.domain.factor import RecoveryHasher
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.randomness import Randomness
from regserver.ports.store import Store
from regserver.service.factor_change import FactorChange
from regserver.service.factor_seal import FactorSeal
from regserver.service.factor_service import FactorParts, FactorService
from regserver.service.identity_service import IdentityService
from regserver.service.outbox import Outbox
from tests.deletion import GRACE
from tests.fake import SeededRandomness
from tests.guess import MAIL_TEMPLATES, open_guard


def open_factor_service(
    store: Store, clock: Clock, identity: IdentityService, broker: Broker, randomness: Randomness
) -> FactorService:
    return FactorService(
        FactorParts(
            store=store,
            clock=clock,
            randomness=randomness,
            identity=identity,
            guard=open_guard(store, clock),
            hasher=Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26),
            method=PyotpMethod("example.org"),
            seal=FactorSeal(bytes(32), randomness),
            recovery=RecoveryHasher(bytes(32)),
            change=FactorChange(broker, Outbox(clock, SeededRandomness(2), bytes(32)), MAIL_TEMPLATES),
            grace=GRACE,
        )
    )
