"""Executes the repositories' statements on one connection, within one transaction."""

import zlib
from collections.abc import Sequence
from typing import Any

from regserver.ports.transaction import Lock, LockKey
from regserver.store.postgres.dialect import native, store_error
from regserver.store.postgres.driver import DatabaseFault, PgAnswer, PgConnection
from regserver.store.sql.statement import F, Kept, Sql

LOCK_STATEMENT = "SELECT pg_advisory_xact_lock($1::integer, key) FROM unnest($2::integer[]) AS key"


class PostgresSql(Sql):
    """As regserver.store.sql.statement.Sql. A lock is an advisory lock of the transaction, on the hash of its key."""

    def __init__(self, connection: PgConnection) -> None:
        self._connection = connection

    async def lock(self, lock: Lock, *keys: LockKey) -> None:
        """All keys in one statement, in an order that all units share."""
        await self._execute(*lock_query(lock, *keys))

    async def row(self, statement: str, *parameters: object) -> tuple[Any, ...] | None:
        """Reads the whole answer, which is short."""
        return (await self._execute(native(statement), parameters)).row()

    async def kept(self, kept: Kept[F], *parameters: object) -> F | None:
        """Keeps nothing: other nodes write as well."""
        row = await self.row(kept.text, *parameters)
        return None if row is None else kept.read(row)

    async def value(self, statement: str, *parameters: object) -> Any:
        """Reads the first row, as `row` does."""
        row = (await self._execute(native(statement), parameters)).row()
        return None if row is None else row[0]

    async def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Reads the whole answer."""
        return (await self._execute(native(statement), parameters)).rows()

    async def run(self, statement: str, *parameters: object) -> int:
        """Returns what the server counted."""
        return (await self._execute(native(statement), parameters)).count

    async def insert(self, statement: str, *parameters: object) -> int:
        """Asks for the id with RETURNING."""
        return int(await self.value(f"{statement} RETURNING id", *parameters))

    async def run_many(self, statement: str, parameters: Sequence[Sequence[object]]) -> None:
        """As one pipeline."""
        try:
            await self._connection.run_many(native(statement), parameters)
        except DatabaseFault as fault:
            raise store_error(fault) from fault

    async def _execute(self, statement: str, parameters: Sequence[object]) -> PgAnswer:
        try:
            return await self._connection.execute(statement, *parameters)
        except DatabaseFault as fault:
            raise store_error(fault) from fault


def lock_query(lock: Lock, *keys: LockKey) -> tuple[str, tuple[int, list[int]]]:
    """The statement and its parameters; one slot for a lock without keys."""
    return LOCK_STATEMENT, (int(lock), sorted({_slot(key) for key in keys or ("",)}))


def _slot(key: LockKey) -> int:
    """Keys of one hash share a lock."""
    text = key if isinstance(key, bytes) else str(key).encode()
    return zlib.crc32(text) - (1 << 31)
