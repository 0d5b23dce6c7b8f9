"""`regserver user show|delete|restore NAME`: an account, found by user name, e-mail address or userId of any door."""

import argparse
from collections.abc import Awaitable, Callable, Iterator

from regserver.adapters.system import SystemClock
from regserver.cli import CommandFault
from regserver.cli.store import open_store
from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.instant import iso_seconds
from regserver.domain.room import parse_id
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction
from regserver.service.account_end import close_account, restore_account


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=tuple(ACTIONS),
        help="show: print an account without its secrets; delete: delete an account, which erases it after"
        " login.deletion_grace; restore: bring a deleted account back, before it is erased",
    )
    parser.add_argument(
        "name", metavar="NAME", help="user name, e-mail address, number or 12-character userId"
    )


def run(chosen: argparse.Namespace) -> None:
    """Shows, deletes or restores the account."""
    act = ACTIONS[chosen.action]
    account = open_store(chosen, lambda store, _: act(store, chosen.name))
    if account is None:
        raise CommandFault("no such account")
    print("\n".join(_lines(account)))


async def _shown(store: Store, name: str) -> Account | None:
    return await store.read(lambda transaction: _find(transaction, name))


async def _deleted(store: Store, name: str) -> Account | None:
    """The account as it is afterwards; a running server ends its sockets and memberships within seconds, another at its start.

    Raises CommandFault when it is deleted already.
    """

    async def work(transaction: Transaction) -> Account | None:
        account = await _find(transaction, name)
        if account is None:
            return None
        if not await close_account(transaction, account, SystemClock().now()):
            raise CommandFault(f"account {account.id} is deleted already")
        return await transaction.accounts.by_id(account.id)

    return await store.write(work)


async def _restored(store: Store, name: str) -> Account | None:
    """The account as it is afterwards. Raises CommandFault when it is not deleted, or erased."""

    async def work(transaction: Transaction) -> Account | None:
        account = await _find(transaction, name)
        if account is None:
            return None
        if not await restore_account(transaction, account.id, SystemClock().now()):
            raise CommandFault(
                f"account {account.id} is erased"
                if account.erased_at
                else f"account {account.id} is not deleted"
            )
        return await transaction.accounts.by_id(account.id)

    return await store.write(work)


ACTIONS: dict[str, Callable[[Store, str], Awaitable[Account | None]]] = {
    "show": _shown,
    "delete": _deleted,
    "restore": _restored,
}


async def _find(transaction: Transaction, name: str) -> Account | None:
    if not is_sign_in_name(name):
        return None
    accounts, number = transaction.accounts, parse_id(name)
    return (
        await accounts.by_name(name_key(name))
        or await accounts.by_email(email_key(name))
        or await accounts.by_ledger_name(name)
        or (None if number is None else await accounts.by_id(AccountId(number)))
    )


def _lines(account: Account) -> Iterator[str]:
    yield f"number    {account.id}"
    yield f"username  {account.username}"
    optional = {"e-mail": account.email, "userId": account.ledger_name, "server": account.server}
    for label, value in optional.items():
        if value is not None:
            yield f"{label:9} {value}"
    yield f"door      {account.origin}"
    yield f"password  {'set' if account.password_hash else 'none'}"
    yield f"created   {iso_seconds(account.created_at)}"
    if account.deleted_at is not None:
        yield f"deleted   {iso_seconds(account.deleted_at)}"
    if account.erased_at is not None:
        yield f"erased    {iso_seconds(account.erased_at)}"
