"""The operator at the command line: whoever may run commands on this machine, and how refusals are told."""

import getpass
from typing import NoReturn, TypeVar

from regserver.adapters.system import SystemClock
from regserver.cli import CommandFault
from regserver.domain.outcome import Refusal
from regserver.ports.store import Store
from regserver.service.operator.unit import LocalOperator, OperatorUnit

T = TypeVar("T")


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
    meaning = (type(refusal).__doc__ or "").strip().partition("\n")[0].rstrip(".")
    raise CommandFault(f"{thing}: {meaning[0].lower()}{meaning[1:]}")
