"""The embedded back end: one SQLite file. `sqlite_store` runs units of work, `schema` migrates, `copy` copies the file."""

from regserver.store.sqlite.connection import connect
from regserver.store.sqlite.file_lock import held, make_folder, note_addresses, noted_addresses
from regserver.store.sqlite.file_watch import FilePolicy
from regserver.store.sqlite.schema import migrate, roll_back
from regserver.store.sqlite.sqlite_store import SqliteStore, open_migrated, open_sqlite

__all__ = [
    "FilePolicy",
    "SqliteStore",
    "connect",
    "held",
    "make_folder",
    "migrate",
    "note_addresses",
    "noted_addresses",
    "open_migrated",
    "open_sqlite",
    "roll_back",
]
