"""How a node uses the database: its connections, and how long it waits for what."""

from typing import Any, Final, Literal

import msgspec
import psycopg
from psycopg.conninfo import make_conninfo

from regserver.ports.store import StoreFault
from regserver.store.postgres.driver import PoolPolicy

LOCK_SHARE: Final = 0.8
"""Of the time of a statement, how much it may wait for a lock: so that whoever waits is told of the lock, not of the statement."""
LONGEST_PAUSE: Final = 2.0
"""Between attempts to connect, of which a node makes one at a time: so soon it serves again when the database is back."""
UNIT_STATEMENTS: Final = 2
"""How many times that of one statement a whole unit may take."""


class PostgresPolicy(msgspec.Struct, frozen=True):
    """least, most: connections. patience: of a unit that waits for a free one. Times are in seconds.

    statement: how long the server works on one statement at most. listens: whether it hears of what other nodes write.
    link: by which engine nodes wake each other; see NodeLink.
    """

    least: int = 2
    most: int = 16
    patience: float = 5.0
    statement: float = 10.0
    listens: bool = True
    link: Literal["postgres", "local"] = "postgres"

    @property
    def pool(self) -> PoolPolicy:
        """That of the driver's pool."""
        return PoolPolicy(
            least=self.least, most=self.most, patience=self.patience, longest_pause=LONGEST_PAUSE
        )

    @property
    def unit(self) -> float:
        """How long a unit of work may take."""
        return self.statement * UNIT_STATEMENTS

    @property
    def settings(self) -> str:
        """The statements that prepare a connection."""
        milliseconds = int(self.statement * 1000)
        values = {
            "statement_timeout": milliseconds,
            "lock_timeout": int(milliseconds * LOCK_SHARE),
            "idle_in_transaction_session_timeout": int(milliseconds * 1.5),
            "client_min_messages": "'error'",
        }
        return " ".join(f"SET {name} = {value};" for name, value in values.items())


def database_words(url: str, password: str, application: str) -> str:
    """What libpq connects by. application: as the server names its clients. Raises StoreFault, without a word of the URL."""
    given: dict[str, Any] = {"application_name": application} | ({"password": password} if password else {})
    try:
        return make_conninfo(url, **given)
    except psycopg.Error:
        raise StoreFault(
            "store.url: not a URL that libpq reads: a host, a port, an option or a %-escape in it is wrong"
        ) from None
