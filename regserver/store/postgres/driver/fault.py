"""What can go wrong with a database, in the words of one hierarchy. `translation` puts psycopg's errors into it.

DatabaseFault
  DatabaseUnavailable      the caller may try again later: nothing is wrong with what was asked
    ConnectFailed          no connection could be made
    ConnectionLost         the connection broke, or was closed
    ServerStopping         the server is shutting down or starting, or an operator ended the connection
    TooManyConnections     the server takes no more
    OutOfResources         memory, or something else that the server has run out of
    DiskFull
    ReadOnlyServer         a standby, or a server that was set so
    LockTimeout            lock_timeout passed
    CancelledByServer      statement_timeout passed, or somebody cancelled the statement
    ServerFault            the server's own error: a file it cannot read, an internal fault
    PoolRefusal            the pool has no connection to give: PoolFull, PoolTimeout, PoolClosed
    CommitTimeout          COMMIT waited for too long, and has not happened
    OutcomeUnknown         the connection was lost during COMMIT, which may have happened
  TransactionConflict      another transaction was first: roll back and run the whole transaction again
  ConstraintViolation      with the constraint's name
  StatementFault           what was asked is wrong: SQL, types, values, a driver used in a wrong way
"""


class DatabaseFault(Exception):
    """Base of all faults. sqlstate: the server's five characters; None where the fault was found on this side."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseUnavailable(DatabaseFault):
    """The database cannot do its work now."""


class ConnectFailed(DatabaseUnavailable):
    """No connection could be made: refused, timed out, rejected by the server, or no host of the wished kind."""


class ConnectionLost(DatabaseUnavailable):
    """The connection broke. What ran in its transaction is rolled back."""


class ServerStopping(DatabaseUnavailable):
    """The server stops, starts or recovers, or an operator has ended this connection."""


class TooManyConnections(DatabaseUnavailable):
    """The server, the database or the role has reached its limit."""


class OutOfResources(DatabaseUnavailable):
    """The server has run out of memory or of something else."""


class DiskFull(OutOfResources):
    """The server's disk is full."""


class ReadOnlyServer(DatabaseUnavailable):
    """The server takes no writes."""


class LockTimeout(DatabaseUnavailable):
    """A lock was not free within lock_timeout."""


class CancelledByServer(DatabaseUnavailable):
    """The statement took longer than statement_timeout, or somebody else cancelled it."""


class ServerFault(DatabaseUnavailable):
    """The server met an error of its own."""


class PoolRefusal(DatabaseUnavailable):
    """The pool has no connection to give."""


class PoolFull(PoolRefusal):
    """As many callers wait as may."""


class PoolTimeout(PoolRefusal):
    """No connection was free in time. Its cause is the last failure to connect, if there was one."""


class PoolClosed(PoolRefusal):
    """The pool is closing or closed."""


class CommitTimeout(DatabaseUnavailable):
    """COMMIT, or what was sent with it, waited for too long: the transaction was rolled back."""


class OutcomeUnknown(DatabaseUnavailable):
    """The connection was lost during COMMIT: the transaction may have been committed."""


class TransactionConflict(DatabaseFault):
    """A serialization failure, a deadlock, or a prepared statement that another change has made stale."""


class ConstraintViolation(DatabaseFault):
    """A constraint refused the change. constraint, table: their names; None where the server gave none."""

    constraint: str | None = None
    table: str | None = None


class UniqueViolation(ConstraintViolation):
    """A unique key or an exclusion constraint."""


class ForeignKeyViolation(ConstraintViolation):
    """A row that is referred to, or not there."""


class StatementFault(DatabaseFault):
    """A mistake of the program: in the statement, in a parameter, or in the use of the driver."""
