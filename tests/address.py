"""The use cases of addresses on a real store, for the tests of services, doors and races."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.ports.broker import Broker
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.service.address_change import AddressChange, AddressChangeParts
from regserver.service.address_service import AddressParts, AddressService
from regserver.service.identity_service import IdentityService
from regserver.service.outbox import Outbox
from regserver.service.reauthentication import Reauthentication
from tests.fake import PEPPER, SeededRandomness
from tests.guess import MAIL_TEMPLATES, open_guard

HASHER = Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26)


def open_address_change(
    store: Store, clock: Clock, identity: IdentityService, broker: Broker
) -> AddressChange:
    """Its mail goes into the store's outbox, sealed with a key of zeros."""
    return AddressChange(
        AddressChangeParts(
            store=store,
            clock=clock,
            randomness=SeededRandomness(4),
            identity=identity,
            again=Reauthentication(identity, open_guard(store, clock), HASHER),
            outbox=Outbox(clock, SeededRandomness(2), bytes(32)),
            mail_templates=MAIL_TEMPLATES,
            pepper=PEPPER,
            broker=broker,
        )
    )


def open_addresses(
    store: Store, clock: Clock, identity: IdentityService, broker: Broker, change: AddressChange
) -> AddressService:
    """The same for the rest. change: for its links."""
    return AddressService(
        AddressParts(
            store=store,
            clock=clock,
            randomness=SeededRandomness(3),
            identity=identity,
            outbox=Outbox(clock, SeededRandomness(2), bytes(32)),
            mail_templates=MAIL_TEMPLATES,
            pepper=PEPPER,
            change=change,
            broker=broker,
        )
    )
