"""The embedded back end: one SQLite file. `sqlite_store` runs units of work, `schema` migrates, `copy` copies the file."""

from regserver.store.sqlite.connection import connect
from regserver.store.sqlite.file_lock import held
from regserver.store.sqlite.file_watch import FilePolicy
from regserver.store.sqlite.schema import migrate
from regserver.store.sqlite.sqlite_store import SqliteStore, open_sqlite

__all__ = ["FilePolicy", "SqliteStore", "connect", "held", "migrate", "open_sqlite"]
