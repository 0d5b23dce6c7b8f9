"""Changes of password and address on a real store: what the tests of their services, routes and races are set up with."""

from regserver.domain.account import Account, AccountId
from regserver.domain.secret import SecretHash
from regserver.ports.transaction import Transaction
from regserver.service.account_service import AccountDetail
from regserver.service.password_change import PasswordChange, PasswordChangeParts
from regserver.service.reauthentication import Reauthentication
from tests.address import HASHER
from tests.guess import MAIL_TEMPLATES, open_guard
from tests.rooms import Rooms, made


def reauthentication(rooms: Rooms) -> Reauthentication:
    return Reauthentication(rooms.identity, open_guard(rooms.store, rooms.clock), HASHER)


def open_password_change(rooms: Rooms) -> PasswordChange:
    return PasswordChange(
        PasswordChangeParts(
            identity=rooms.identity,
            again=reauthentication(rooms),
            hasher=HASHER,
            outbox=rooms.outbox,
            mail_templates=MAIL_TEMPLATES,
            broker=rooms.broker,
        )
    )


async def account_of(rooms: Rooms, account: AccountId) -> Account:
    """As it is now."""
    return made(Account, await rooms.store.read(lambda transaction: transaction.accounts.by_id(account)))


async def is_signed_in(rooms: Rooms, token: SecretHash) -> bool:
    return isinstance(await rooms.accounts.info(token), AccountDetail)


async def give_source(rooms: Rooms, account: AccountId, source: str) -> None:
    """Makes the account that of a source's person."""

    async def work(transaction: Transaction) -> None:
        statement = "UPDATE account SET subject = 'n', source = ? WHERE id = ?"
        await transaction.accounts._sql.run(statement, source, account)  # type: ignore[attr-defined]

    await rooms.store.write(work)
