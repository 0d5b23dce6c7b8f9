"""PostgreSQL: `postgres_store` runs units of work, `postgres_schema` migrates, `driver` speaks to the server on Trio."""

from regserver.store.postgres.postgres_policy import PostgresPolicy, database_words
from regserver.store.postgres.postgres_schema import migrate_postgres
from regserver.store.postgres.postgres_store import PostgresStore, open_postgres

__all__ = ["PostgresPolicy", "PostgresStore", "database_words", "migrate_postgres", "open_postgres"]
