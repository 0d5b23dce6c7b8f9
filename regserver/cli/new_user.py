"""`regserver user create` and `password`: accounts that the operator makes, and passwords that the operator sets."""

import argparse
import sys

from regserver.adapters.argon2_hasher import build_hasher
from regserver.adapters.derived_key import build_pepper
from regserver.adapters.server_key import read_server_key
from regserver.cli import CommandFault
from regserver.cli.operator import local_operator, operator_unit, refused
from regserver.cli.password import ask_password
from regserver.cli.store import StoreClock
from regserver.cli.told import Told
from regserver.cli.user_told import account_told
from regserver.config import StorePlace
from regserver.domain.outcome import AccountNotFound, Refusal
from regserver.ports.store import Store
from regserver.service.operator.new_user import NewUserDesk, NewUserParts, UserWish


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of create."""
    parser.add_argument("--email", metavar="ADDRESS", help="create: the person's address")
    parser.add_argument(
        "--verified", action="store_true", help="create: the address is known to be the person's"
    )
    parser.add_argument(
        "--no-password", action="store_true", help="create: without a password; `reset-link` lets one be set"
    )


async def created(chosen: argparse.Namespace, store: Store, place: StorePlace) -> Told:
    """Makes an account; its password is asked for, or read from standard input."""
    wish = UserWish(
        username=chosen.name,
        email=chosen.email,
        is_verified=chosen.verified,
        password=None if chosen.no_password else _password(),
    )
    made = await _desk(store, place).create(local_operator(), wish)
    if isinstance(made, Refusal):
        refused(made, chosen.name)
    return account_told(made)


async def password_set(chosen: argparse.Namespace, store: Store, place: StorePlace) -> Told:
    """Sets a password, which is asked for, or read from standard input; all sessions of the account end."""
    found = await _desk(store, place).set_password(local_operator(), chosen.name, _password())
    if isinstance(found, AccountNotFound):
        raise CommandFault("no such account")
    if isinstance(found, Refusal):
        refused(found, chosen.name)
    return account_told(found)


def _desk(store: Store, place: StorePlace) -> NewUserDesk:
    pepper = build_pepper(place.settings, read_server_key(place.key))
    hasher = build_hasher(place.settings.password)
    return NewUserDesk(NewUserParts(operator_unit(store), StoreClock(store), hasher, pepper))


def _password() -> str:
    password = ask_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandFault("there is no password on standard input")
    return password
