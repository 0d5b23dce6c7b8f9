"""The repositories, in the common SQL of SQLite and PostgreSQL, on the few calls that a back end must implement."""

from regserver.store.sql.sql_transaction import SqlTransaction

__all__ = ["SqlTransaction"]
