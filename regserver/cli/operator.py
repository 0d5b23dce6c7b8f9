"""The operator at the command line: whoever may run commands on this machine, and how refusals are told."""

import getpass
from typing import NoReturn

from regserver.adapters.system import SystemClock
from regserver.cli import CommandFault
from regserver.domain.outcome import (
    BadEmail,
    BadPassword,
    BadUsername,
    EmailTaken,
    PasswordAtSource,
    Refusal,
    UserIsDeleted,
    UsernameTaken,
)
from regserver.ports.store import Store
from regserver.service.operator.unit import LocalOperator, OperatorUnit

MEANINGS: dict[type[Refusal], str] = {
    UsernameTaken: "the name is taken",
    EmailTaken: "another account has verified the address",
    BadUsername: "3 to 32 letters, digits, dots, underscores or hyphens, with a letter or digit at both ends",
    BadEmail: "expected an e-mail address",
    BadPassword: "the password is too short, a common one, or the name or address itself",
    PasswordAtSource: "the password is the data source's: change it there",
    UserIsDeleted: "the account is deleted",
}
"""What people read for refusals whose own words are for programs."""


def local_operator() -> LocalOperator:
    """Who runs the command, for the audit."""
    try:
        return LocalOperator(getpass.getuser())
    except (KeyError, OSError):  # a user without a name, as systemd makes them
        return LocalOperator("unknown")


def operator_unit(store: Store) -> OperatorUnit:
    """Runs the command's use cases."""
    return OperatorUnit(store, SystemClock())


def refused(refusal: Refusal, thing: str) -> NoReturn:
    """Raises CommandFault with what the refusal means. thing: what was asked for."""
    meaning = MEANINGS.get(type(refusal)) or (type(refusal).__doc__ or "").strip().partition("\n")[0].rstrip(
        "."
    )
    raise CommandFault(f"{thing}: {meaning[0].lower()}{meaning[1:]}")
