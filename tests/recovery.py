"""Recovery of accounts on a real store: what the tests of its service, routes and races are set up with."""

from regserver.adapters.argon2_hasher import Argon2Hasher
from regserver.domain.account import AccountId
from regserver.domain.instant import HOUR, Duration
from regserver.ports.transaction import Transaction
from regserver.service.account_recovery import AccountRecovery, AccountRecoveryParts
from regserver.service.mailed_link import add_recovery_link, new_link_secret
from tests.fake import PEPPER, SeededRandomness
from tests.guess import MAIL_TEMPLATES, open_guard
from tests.rooms import Rooms
from tests.sign_in_code import CodeDesk

RANDOMNESS = SeededRandomness(5)


def open_account_recovery(rooms: Rooms) -> AccountRecovery:
    return AccountRecovery(
        AccountRecoveryParts(
            store=rooms.store,
            clock=rooms.clock,
            randomness=RANDOMNESS,
            hasher=Argon2Hasher(time_cost=1, memory=8 * 1024 * 8, parallelism=1, max_memory=1 << 26),
            identity=rooms.identity,
            guard=open_guard(rooms.store, rooms.clock),
            outbox=rooms.outbox,
            mail_templates=MAIL_TEMPLATES,
            pepper=PEPPER,
            broker=rooms.broker,
        )
    )


async def recovery_link(rooms: Rooms, account: AccountId) -> str:
    """The secret of a new link, as the operator's command makes it."""
    secret, life = new_link_secret(RANDOMNESS), Duration(HOUR)
    await rooms.store.write(
        lambda transaction: add_recovery_link(transaction, account, secret, rooms.clock, life)
    )
    return secret


async def add_totp(rooms: Rooms | CodeDesk, account: AccountId) -> None:
    """Switches an authenticator app on."""

    async def work(transaction: Transaction) -> None:
        await transaction.factors.begin_totp(account, b"sealed")
        assert await transaction.factors.enable_totp(account, b"sealed", 1, rooms.clock.now())

    await rooms.store.write(work)
