"""Opening a connection."""

from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo

from regserver.store.postgres.driver.fault import ConnectFailed, DatabaseUnavailable, StatementFault
from regserver.store.postgres.driver.pg_connection import PgConnection
from regserver.store.postgres.driver.pg_wire import PgWire
from regserver.store.postgres.driver.psycopg_hook.attempt import attempts, connect_attempt
from regserver.store.postgres.driver.translation import connect_fault_of

CONNECT_SECONDS: Final = 10.0


async def connect(conninfo: str, seconds: float = CONNECT_SECONDS, **parameters: str | int) -> PgConnection:
    """Opens a connection. Raises DatabaseUnavailable: ConnectFailed, TooManyConnections, ServerStopping.

    Args:
        conninfo: A URL or libpq's `key=value` words: several hosts, target_session_attrs, TLS and so on.
        seconds: How long one attempt may take. Each address of each host is one.
        parameters: Further words, which take precedence.
    """
    try:
        tries = await attempts(make_conninfo(conninfo, **parameters))
    except psycopg.ProgrammingError as error:
        raise StatementFault(str(error)) from None
    except psycopg.Error as error:
        raise connect_fault_of(error) from None
    faults: list[DatabaseUnavailable] = []
    for attempt in tries:
        try:
            return PgConnection(await connect_attempt(PgWire, attempt, seconds))
        except psycopg.Error as error:
            faults.append(connect_fault_of(error))
    if len(faults) == 1:
        raise faults[0]
    raise ConnectFailed("; ".join(map(str, faults)), faults[-1].sqlstate)
