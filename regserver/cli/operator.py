"""The operator at the command line: whoever may run commands on this machine, and how refusals are told."""

import getpass
from typing import NoReturn

from regserver.cli import CommandFault
from regserver.cli.store import StoreClock
from regserver.domain.outcome import (
    BadEmail,
    BadPassword,
    BadUsername,
    EmailTaken,
    NotInRoom,
    PasswordAtSource,
    Refusal,
    RoomNotFound,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.ports.store import Store
from regserver.service.operator.unit import LocalOperator, OperatorUnit, by_command

MEANINGS: dict[type[Refusal], str] = {
    UsernameTaken: "the name is taken",
    EmailTaken: "another account has verified the address",
    BadUsername: "3 to 32 letters, digits, dots, underscores or hyphens, with a letter or digit at both ends",
    BadEmail: "expected an e-mail address",
    BadPassword: "the password is too short, a common one, or the name or address itself",
    PasswordAtSource: "the password is the data source's: change it there",
    UserIsDeleted: "the account is deleted",
    RoomNotFound: "there is no such room",
    NotInRoom: "the account is not in the room",
}
"""What people read for refusals whose own words are for programs."""


def local_operator() -> LocalOperator:
    """Who runs the command, for the audit."""
    try:
        return by_command(getpass.getuser())
    except (KeyError, OSError):  # a user without a name, as systemd makes them
        return by_command("unknown")


def operator_unit(store: Store) -> OperatorUnit:
    """Runs the command's use cases."""
    return OperatorUnit(store, StoreClock(store))


def refused(refusal: Refusal, thing: str) -> NoReturn:
    """Raises CommandFault with what the refusal means. thing: what was asked for."""
    raise CommandFault(f"{thing}: {meaning(type(refusal))}")


def meaning(kind: type[Refusal]) -> str:
    """What a refusal means, in one line."""
    text = MEANINGS.get(kind) or (kind.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return f"{text[0].lower()}{text[1:]}"
