"""Passkeys on a real store, for the tests of services and races."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.adapters.webauthn import Fido2Verifier
from regserver.domain.passkey import ChallengeSeal, PasskeySite
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.service.factor_change import FactorChange
from regserver.service.identity_service import IdentityService
from regserver.service.outbox import Outbox
from regserver.service.passkey_service import PasskeyParts, PasskeyService
from regserver.service.reauthentication import Reauthentication
from tests.fake import SeededRandomness
from tests.guess import MAIL_TEMPLATES, open_guard

SITE = PasskeySite("http://localhost", "localhost")


HASHER = Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26)


def open_passkeys(store: Store, clock: Clock, identity: IdentityService, broker: Broker) -> PasskeyService:
    guard = open_guard(store, clock)
    return PasskeyService(
        PasskeyParts(
            store=store,
            clock=clock,
            randomness=SeededRandomness(9),
            identity=identity,
            guard=guard,
            again=Reauthentication(identity, guard, HASHER),
            verifier=lambda: Fido2Verifier("example.org"),
            seal=ChallengeSeal(bytes(32)),
            change=FactorChange(broker, Outbox(clock, SeededRandomness(2), bytes(32)), MAIL_TEMPLATES),
        )
    )
