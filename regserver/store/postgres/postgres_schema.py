"""Migration of the database's schema."""

from regserver.ports.store import StoreFault
from regserver.store import migration
from regserver.store.postgres.dialect import WORDS, native
from regserver.store.postgres.driver import DatabaseFault, PgConnection, connect

LEAST_VERSION = 130000
"""As PostgreSQL numbers its versions."""
LOCK = "SELECT pg_advisory_xact_lock(0)"
"""Nodes that start at once migrate one after another. The locks of units have two numbers, so this is none of them."""


async def migrate_postgres(url: str, now: int) -> int:
    """Updates the schema and returns its version. Raises StoreFault.

    now: milliseconds since 1970, recorded with each migration.
    """
    try:
        async with await connect(url) as connection:
            await _refuse_unfit(connection)
            async with connection.transaction():
                return await _migrate(connection, now)
    except DatabaseFault as fault:
        raise StoreFault(f"PostgreSQL: {fault}") from fault


async def _refuse_unfit(connection: PgConnection) -> None:
    """Raises StoreFault for a server or a database that no schema makes fit."""
    if (number := int(await connection.value("SHOW server_version_num"))) < LEAST_VERSION:
        least = LEAST_VERSION // 10000
        raise StoreFault(f"PostgreSQL {number // 10000} is not supported; {least} is the oldest that is")
    if (encoding := await connection.value("SHOW server_encoding")) != "UTF8":
        raise StoreFault(f"PostgreSQL: the database's encoding is {encoding}: make one with UTF8")


async def require_newest_schema(connection: PgConnection) -> None:
    """Raises StoreFault unless the schema is the one that this program works with, and whole. Changes nothing."""
    if await connection.value("SELECT to_regclass('store_copy') IS NOT NULL"):
        raise StoreFault(
            "PostgreSQL: a copy into this database is not finished: run `regserver store copy` again"
        )
    version = 0
    if await connection.value("SELECT to_regclass('migration') IS NOT NULL"):
        version = int(await connection.value(migration.CURRENT_VERSION) or 0)
    if steps := migration.pending(version):
        raise StoreFault(
            f"PostgreSQL: schema version {version}, and this program needs {steps[-1].number}: start the server, which"
            " updates it, or run `regserver migrate`"
        )


async def _migrate(connection: PgConnection, now: int) -> int:
    await connection.value(LOCK)
    await connection.script(migration.VERSION_TABLE)
    version = int(await connection.value(migration.CURRENT_VERSION) or 0)
    for step in migration.pending(version):
        for statement in step.statements(WORDS):
            await connection.script(statement)
        await connection.run(native(migration.REMEMBER), step.number, step.name, now)
        version = step.number
    return version
