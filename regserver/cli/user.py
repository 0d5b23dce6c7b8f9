"""`regserver user show NAME`: shows an account, found by user name, e-mail address or userId of any door."""

import argparse
from collections.abc import Iterator

from regserver.cli import FINE, CommandFault
from regserver.cli.store import StorePlace, open_store
from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.instant import iso_seconds
from regserver.domain.room import parse_id
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("action", choices=("show",), help="show: print an account without its secrets")
    parser.add_argument(
        "name", metavar="NAME", help="user name, e-mail address, number or 12-character userId"
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    async def work(store: Store, _: StorePlace) -> Account | None:
        return await store.read(lambda transaction: _find(transaction, chosen.name))

    account = open_store(chosen, work)
    if account is None:
        raise CommandFault("no such account")
    print("\n".join(_lines(account)))
    return FINE


async def _find(transaction: Transaction, name: str) -> Account | None:
    if not is_sign_in_name(name):
        return None
    found = await transaction.accounts.by_name(name_key(name)) or await transaction.accounts.by_email(
        email_key(name)
    )
    found = found or await transaction.accounts.by_ledger_name(name)
    number = parse_id(name)
    return found if found or number is None else await transaction.accounts.by_id(AccountId(number))


def _lines(account: Account) -> Iterator[str]:
    yield f"number    {account.id}"
    yield f"username  {account.username}"
    for label, value in (
        ("e-mail", account.email),
        ("userId", account.ledger_name),
        ("server", account.server),
    ):
        if value is not None:
            yield f"{label:9} {value}"
    yield f"door      {account.origin}"
    yield f"password  {'set' if account.password_hash else 'none'}"
    yield f"created   {iso_seconds(account.created_at)}"
    if account.deleted_at is not None:
        yield f"deleted   {iso_seconds(account.deleted_at)}"
