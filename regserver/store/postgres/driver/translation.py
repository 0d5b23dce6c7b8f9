"""How psycopg's errors are put into the hierarchy of `fault`: by SQLSTATE, and by what libpq says where there is none.

Messages have no values of parameters or rows: the server's detail is left out, and what it says about a value's text too.
"""

from collections.abc import Mapping

import psycopg
from psycopg import errors

from regserver.store.postgres.driver.fault import (
    CancelledByServer,
    ConnectFailed,
    ConnectionLost,
    ConstraintViolation,
    DatabaseFault,
    DatabaseUnavailable,
    DiskFull,
    ForeignKeyViolation,
    LockTimeout,
    OutcomeUnknown,
    OutOfResources,
    ReadOnlyServer,
    ServerFault,
    ServerStopping,
    StatementFault,
    TooManyConnections,
    TransactionConflict,
    UniqueViolation,
)

_BY_STATE: Mapping[str, type[DatabaseFault]] = {
    "23503": ForeignKeyViolation,
    "23505": UniqueViolation,
    "23P01": UniqueViolation,
    "25006": ReadOnlyServer,
    "25P03": ConnectionLost,  # idle_in_transaction_session_timeout
    "25P04": ConnectionLost,  # transaction_timeout
    "26000": TransactionConflict,  # somebody has deallocated the prepared statement
    "40001": TransactionConflict,
    "40003": OutcomeUnknown,
    "40P01": TransactionConflict,
    "53100": DiskFull,
    "53300": TooManyConnections,
    "55P03": LockTimeout,
    "57014": CancelledByServer,
    "57P05": ConnectionLost,  # idle_session_timeout
}
# By the class, the first two characters, where the whole is not above.
_BY_CLASS: Mapping[str, type[DatabaseFault]] = {
    "08": ConnectionLost,
    "23": ConstraintViolation,
    "40": TransactionConflict,
    "53": OutOfResources,
    "57": ServerStopping,
    "58": ServerFault,
    "F0": ServerFault,
    "XX": ServerFault,
}
_STALE = "cached plan must not change result type"


def fault_of(error: psycopg.Error, *, lost: bool) -> DatabaseFault:
    """Puts an error of psycopg into the hierarchy.

    Args:
        error: Whatever psycopg has raised.
        lost: Whether the connection is gone, or was never there.
    """
    state = error.sqlstate
    if state is None:
        return _local_fault(error, lost=lost)
    diagnosis = error.diag
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2], StatementFault)
    if state == "0A000" and diagnosis.message_primary == _STALE:
        kind = TransactionConflict
    if lost and not issubclass(kind, DatabaseUnavailable):
        kind = ConnectionLost
    fault = kind(_words(error), state)
    if isinstance(fault, ConstraintViolation):
        fault.constraint, fault.table = diagnosis.constraint_name, diagnosis.table_name
    return fault


def _local_fault(error: psycopg.Error, *, lost: bool) -> DatabaseFault:
    """A fault that was found on this side of the connection."""
    message = first_line(str(error))
    if lost or isinstance(error, errors.CancellationTimeout):
        return ConnectionLost(message)
    # Of what libpq itself reports, all that is not a mistake of the caller comes from the connection.
    return ConnectionLost(message) if type(error) is psycopg.OperationalError else StatementFault(message)


def connect_fault_of(error: psycopg.Error) -> DatabaseUnavailable:
    """As `fault_of`, for a connection that could not be made."""
    fault = fault_of(error, lost=True)
    # libpq tells the reason of a refused connection in words alone.
    message = str(fault)
    if "too many clients" in message or "too many connections" in message or "connection slots" in message:
        return TooManyConnections(message, fault.sqlstate)
    if "the database system is" in message:
        return ServerStopping(message, fault.sqlstate)
    if isinstance(fault, ServerStopping | TooManyConnections):
        return fault
    return ConnectFailed(message, fault.sqlstate)


def _words(error: psycopg.Error) -> str:
    state = error.sqlstate or ""
    if state.startswith("22"):  # the server quotes the value
        return f"{type(error).__name__} ({state})"
    return f"{error.diag.message_primary} ({state})"


def first_line(text: str) -> str:
    """libpq adds hints below."""
    return text.strip().partition("\n")[0]
