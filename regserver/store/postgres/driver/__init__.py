"""PostgreSQL on Trio: psycopg's protocol, driven by Trio's waits, with a pool and one hierarchy of faults.

Depends on psycopg and trio alone. docs/postgres-driver.md says how it is used and what was measured.
"""

from regserver.store.postgres.driver.fault import (
    CancelledByServer,
    CommitTimeout,
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
    PoolClosed,
    PoolFull,
    PoolRefusal,
    PoolTimeout,
    ReadOnlyServer,
    ServerFault,
    ServerStopping,
    StatementFault,
    TooManyConnections,
    TransactionConflict,
    UniqueViolation,
)
from regserver.store.postgres.driver.pg_answer import PgAnswer
from regserver.store.postgres.driver.pg_connect import connect
from regserver.store.postgres.driver.pg_connection import PgConnection
from regserver.store.postgres.driver.pg_transaction import Begin, PgTransaction
from regserver.store.postgres.driver.pool import Pool, open_pool
from regserver.store.postgres.driver.pool_policy import PoolPolicy, PoolStatistics

__all__ = [
    "Begin",
    "CancelledByServer",
    "CommitTimeout",
    "ConnectFailed",
    "ConnectionLost",
    "ConstraintViolation",
    "DatabaseFault",
    "DatabaseUnavailable",
    "DiskFull",
    "ForeignKeyViolation",
    "LockTimeout",
    "OutOfResources",
    "OutcomeUnknown",
    "PgAnswer",
    "PgConnection",
    "PgTransaction",
    "Pool",
    "PoolClosed",
    "PoolFull",
    "PoolPolicy",
    "PoolRefusal",
    "PoolStatistics",
    "PoolTimeout",
    "ReadOnlyServer",
    "ServerFault",
    "ServerStopping",
    "StatementFault",
    "TooManyConnections",
    "TransactionConflict",
    "UniqueViolation",
    "connect",
    "open_pool",
]
