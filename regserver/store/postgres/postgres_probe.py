"""What `regserver doctor` finds out about the database: version, settings, connections, locks, nodes and standbys. Blocks."""

from collections.abc import Generator, Iterator
from typing import Any, Final

import msgspec
import psycopg

from regserver.domain.finding import Finding
from regserver.ports.store import StoreFault
from regserver.store import migration
from regserver.store.postgres.postgres_schema import LEAST_VERSION

WAIT_SECONDS: Final = 1
"""A session that waits for a lock for longer is told."""
OPEN_SECONDS: Final = 60
"""A transaction that does nothing for longer is told: it holds its locks, and dead rows are not cleaned up."""
SILENT_SECONDS: Final = 60
BESIDE_POOL: Final = 2
"""Connections of a node that listens and tells."""
BEHIND_BYTES: Final = 16 << 20
"""A segment of the log: a standby that is further behind is told."""

SETTINGS: Final = (
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
)
CONNECTIONS: Final = (
    "SELECT count(*), current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer"
    " FROM pg_stat_activity WHERE backend_type = 'client backend'"
)
LOCKS: Final = (
    "SELECT application_name, pid, extract(epoch FROM now() - state_change)::bigint, pg_blocking_pids(pid)"
    " FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND now() - state_change > make_interval(secs => %s) ORDER BY state_change"
)
IDLE: Final = (
    "SELECT application_name, pid, extract(epoch FROM now() - xact_start)::bigint FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%%'"
    " AND now() - state_change > make_interval(secs => %s) ORDER BY xact_start"
)
STANDBYS: Final = (
    "SELECT application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication"
    " WHERE replay_lsn IS NOT NULL"
)
NODES: Final = (
    "SELECT name, extract(epoch FROM clock_timestamp()) - seen_at / 1000.0 AS silent FROM node ORDER BY name"
)
"""By the server's clock, which the nodes use as well."""

_Connection = psycopg.Connection[tuple[Any, ...]]


class Probed(msgspec.Struct, frozen=True):
    """version: of the schema; 0 where there is none. is_settled: whether the store was made with a key. nodes: how many serve."""

    version: int = 0
    is_settled: bool = False
    nodes: int = 0


def probe_postgres(words: str, shown: str, pool_size: int) -> Generator[Finding, None, Probed]:
    """Findings about one database, and what it is. words: what libpq connects by. shown: what it is called. Raises StoreFault.

    pool_size: connections of one node.
    """
    try:
        with psycopg.connect(words, autocommit=True) as connection:
            yield from _identity(connection, shown)
            probed = yield from _schema(connection)
            yield from _settings(connection)
            yield from _connections(connection, pool_size, max(1, probed.nodes))
            yield from _waits(connection)
            yield from _standbys(connection)
            return probed
    except psycopg.Error as error:
        raise StoreFault(f"PostgreSQL: {str(error).strip().partition(chr(10))[0]}") from None


def _identity(connection: _Connection, shown: str) -> Iterator[Finding]:
    number = connection.info.server_version
    version = str(connection.info.parameter_status("server_version")).partition(" ")[0]
    if number < LEAST_VERSION:
        yield Finding(
            "fail",
            f"{shown} is PostgreSQL {version}; {LEAST_VERSION // 10000} is the oldest that is supported",
        )
    else:
        yield Finding("ok", f"{shown} answers, PostgreSQL {version}")
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        yield Finding("fail", f"its encoding is {encoding}: make a database with UTF8")
    if (
        _one(connection, "SELECT pg_is_in_recovery()")
        or _one(connection, "SHOW default_transaction_read_only") == "on"
    ):
        yield Finding(
            "fail", "it takes no writes: it is a standby, or was set so (target_session_attrs=read-write)"
        )


def _schema(connection: _Connection) -> Generator[Finding, None, Probed]:
    if not _one(connection, "SELECT to_regclass('migration') IS NOT NULL"):
        yield Finding("ok", "it is empty; the first start makes its tables")
        return Probed()
    version = int(_one(connection, migration.CURRENT_VERSION) or 0)
    steps = migration.pending(version)
    later = f"; the next start updates it to {steps[-1].number}" if steps else ""
    yield Finding("ok", f"schema version {version}{later}")
    if not _one(connection, "SELECT to_regclass('node') IS NOT NULL"):
        return Probed(version)
    nodes = connection.execute(NODES).fetchall()
    for name, silent in nodes:
        if silent > SILENT_SECONDS:
            yield Finding(
                "hint", f"node {name} has shown no sign of life for {silent:.0f} s: it has crashed, or hangs"
            )
        else:
            yield Finding("ok", f"node {name} lives")
    is_settled = bool(_one(connection, "SELECT EXISTS (SELECT FROM server_key)"))
    return Probed(version, is_settled, len(nodes))


def _settings(connection: _Connection) -> Iterator[Finding]:
    for name, value in connection.execute(SETTINGS).fetchall():
        if value == "off":
            yield Finding(
                "hint", f"{name} is off: a crash of its machine loses what was acknowledged, or more"
            )


def _connections(connection: _Connection, pool_size: int, nodes: int) -> Iterator[Finding]:
    used, most = connection.execute(CONNECTIONS).fetchall()[0]
    wanted = (pool_size + BESIDE_POOL) * nodes
    if wanted > most:
        yield Finding(
            "hint",
            f"{nodes} nodes with store.pool_size {pool_size} want {wanted} connections, and max_connections leaves {most}",
        )
    else:
        yield Finding("ok", f"{used} of {most} connections are used")


def _waits(connection: _Connection) -> Iterator[Finding]:
    waits = connection.execute(LOCKS, (WAIT_SECONDS,)).fetchall()
    for name, pid, seconds, holders in waits:
        held = ", ".join(map(str, holders))
        yield Finding(
            "hint",
            f"{name or 'somebody'} ({pid}) has waited {seconds} s for a lock that process {held} holds",
        )
    idle = connection.execute(IDLE, (OPEN_SECONDS,)).fetchall()
    for name, pid, seconds in idle:
        yield Finding("hint", f"{name or 'somebody'} ({pid}) has left a transaction open for {seconds} s")
    if not waits and not idle:
        yield Finding("ok", "nobody waits for a lock")


def _standbys(connection: _Connection) -> Iterator[Finding]:
    """Who may not read the figures of others finds none."""
    for name, behind in connection.execute(STANDBYS).fetchall():
        if behind > BEHIND_BYTES:
            yield Finding("hint", f"standby {name} is {behind >> 20} MiB behind")
        else:
            yield Finding("ok", f"standby {name} follows")


def _one(connection: _Connection, statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    return None if row is None else row[0]
