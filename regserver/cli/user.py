"""`regserver user show NAME`: shows an account, found by user name, e-mail address or userId of any door."""

import argparse
from collections.abc import Iterator

from regserver.cli import CommandFault
from regserver.cli.store import open_store
from regserver.domain.account import Account, AccountId, email_key, is_sign_in_name, name_key
from regserver.domain.instant import iso_seconds
from regserver.domain.room import parse_id
from regserver.ports.transaction import Transaction


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("action", choices=("show",), help="show: print an account without its secrets")
    parser.add_argument(
        "name", metavar="NAME", help="user name, e-mail address, number or 12-character userId"
    )


def run(chosen: argparse.Namespace) -> None:
    """Shows the account."""
    account = open_store(
        chosen, lambda store, _: store.read(lambda transaction: _find(transaction, chosen.name))
    )
    if account is None:
        raise CommandFault("no such account")
    print("\n".join(_lines(account)))


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
