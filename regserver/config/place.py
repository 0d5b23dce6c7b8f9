"""Where the state of a server is: its database and its key. Every command finds them here, and only from the configuration."""

from pathlib import Path

import msgspec

from regserver.config.fault import ConfigFault
from regserver.config.setting import Loaded, Settings
from regserver.config.store_url import PostgresAddress, read_store_url


class SqlitePlace(msgspec.Struct, frozen=True):
    """The files of one server. database: of the store. key: of the server's own key. settings: those in force.

    is_named: whether the configuration says where the state is, and not only by its own place.
    """

    settings: Settings
    database: Path
    key: Path
    is_named: bool

    @property
    def hint(self) -> str:
        """What to look at where the database is not there, after a semicolon."""
        return "" if self.is_named else "; server.data says in which folder it is"

    def __str__(self) -> str:
        return str(self.database)


class PostgresPlace(msgspec.Struct, frozen=True):
    """The database that nodes share, and the file of the key that is the same on all of them. settings: those in force.

    folder: of this node's own state.
    """

    settings: Settings
    database: PostgresAddress
    key: Path
    folder: Path

    def __str__(self) -> str:
        return str(self.database)


StorePlace = SqlitePlace | PostgresPlace
"""Where a server's state is. As text it is the database, without its password."""


def store_place(loaded: Loaded) -> StorePlace:
    """The place that the settings name, whether or not it exists. Raises ConfigFault; see `_refuse_older_rule`."""
    settings = loaded.settings
    found, key = read_store_url(settings.store), loaded.data / settings.server.key
    if isinstance(found, PostgresAddress):
        return PostgresPlace(settings, found, key, loaded.data)
    database = loaded.data / found
    key = key if settings.server.key else database.with_suffix(".key")
    is_named = bool(settings.server.data) or found.is_absolute()
    if loaded.file is not None and not is_named:
        _refuse_older_rule(loaded.file, Path.cwd() / found, key)
    return SqlitePlace(settings, database, key, is_named)


def _refuse_older_rule(config: Path, old: Path, key: Path) -> None:
    """Raises ConfigFault for the state of an older version, which looked for it in the working directory.

    Nothing is used there, or commands would mean something else in every folder; and nothing is begun anew beside it. A
    key shows where a server has run.
    """
    if not key.exists() and old.is_file() and old.with_suffix(".key").is_file():
        folder = Path.cwd()
        raise ConfigFault(
            f"{config}: server.data: the database is {old}, and relative paths of state start at this file's folder now,"
            f' not at the working directory: add the line data = "{folder}" below [server]'
        )
