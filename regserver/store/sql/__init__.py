"""The repositories, in SQL that SQLite and PostgreSQL both speak, over the few calls that a back end must offer."""

from regserver.store.sql.sql_transaction import SqlTransaction

__all__ = ["SqlTransaction"]
