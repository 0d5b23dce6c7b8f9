"""The one place that opens a store: for the server, and for every command.

    place → SQLite:     the file's lock, migration, the key beside it
          → PostgreSQL: migration, the key that every node has a copy of     → its fingerprint is that of the store → the store

The server migrates the store and settles the fingerprint; a command changes neither.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from typing import assert_never

import trio

from regserver.adapters.server_key import ServerKey, ServerKeyFault, load_server_key, read_server_key
from regserver.adapters.system import SystemClock
from regserver.config import PostgresPlace, SqlitePlace, StorePlace
from regserver.domain.account import erased_name
from regserver.domain.audit import AuditChain
from regserver.domain.instant import Instant
from regserver.ports.audit_table import AuditPen
from regserver.ports.name_table import NameHash
from regserver.ports.store import Store
from regserver.service.shared_clock import keep_shared_time
from regserver.store.draft import sweep
from regserver.store.sqlite import FilePolicy, held, make_folder, migrate, open_migrated
from regserver.store.sqlite.history import refuse_lost

COMMAND_CONNECTIONS = 2
"""Of a command, at most: it works beside the servers."""
_WAY_OUT = "copy that one from another node, or restore it from a backup (server.key)"


async def open_served_store(stack: AsyncExitStack, place: StorePlace, node: str) -> tuple[Store, ServerKey]:
    """The migrated store for a server, and the server's key. node: the name of this process.

    Raises StoreFault, ServerKeyFault.
    """
    match place:
        case SqlitePlace():
            make_folder(place.database)
            stack.enter_context(held(place.database))
            await trio.to_thread.run_sync(sweep, place.database.parent)  # what killed commands have left
            await trio.to_thread.run_sync(refuse_lost, place.database, place.key)
            # Before the key, so that a key without a database is a sign that the database was lost.
            await migrate_store(place, SystemClock().now())
            key = await trio.to_thread.run_sync(load_server_key, place.key)
        case PostgresPlace():
            make_folder(place.key)
            await migrate_store(place, SystemClock().now())
            await _refuse_another_start(place)
            key = await trio.to_thread.run_sync(load_server_key, place.key)
        case _:
            assert_never(place)
    store = await stack.enter_async_context(_open_for_server(place, key, node))
    settled = await store.write(lambda transaction: transaction.server_keys.settle(key.fingerprint))
    _compare(place, key, settled)
    return store, key


@asynccontextmanager
async def open_command_store(place: StorePlace) -> AsyncIterator[Store]:
    """The store for a command, also while servers have it open; `now` is the time of its machine.

    Raises StoreFault, ServerKeyFault.
    """
    # A command on SQLite that needs no key does its work without the file.
    key = await trio.to_thread.run_sync(read_server_key, place.key) if place.key.exists() else None
    async with _open_for_command(place, key) as store:
        await keep_shared_time(store, SystemClock())
        if key is None and isinstance(place, PostgresPlace):
            key = read_server_key(place.key)  # says that it is missing
        if key is not None:
            kept = await store.read(lambda transaction: transaction.server_keys.find())
            _compare(place, key, kept or key.fingerprint)
        yield store


async def migrate_store(place: StorePlace, now: Instant) -> int:
    """Updates the schema and returns its version; on SQLite the caller holds the file. Raises StoreFault."""
    if isinstance(place, SqlitePlace):
        return await trio.to_thread.run_sync(migrate, place.database, now)
    from regserver.store.postgres import migrate_postgres  # takes 0.1 s, which SQLite need not wait for

    return await migrate_postgres(connection_words(place, "migration"), now)


def connection_words(place: PostgresPlace, name: str) -> str:
    """What libpq connects by, the password among it. name: of the program, as the server lists it. Raises StoreFault."""
    from regserver.store.postgres import database_words  # as above

    return database_words(place.database.url, place.database.password, f"regserver {name}")


def name_hash(key: ServerKey) -> NameHash:
    """How the names of erased accounts are hashed."""
    return partial(erased_name, key.derive("name"))


def audit_pen(key: ServerKey) -> AuditPen:
    """What the rows of the audit are written with."""
    return AuditPen(audit_chain(key))


def audit_chain(key: ServerKey) -> AuditChain:
    """What the rows of the audit are verified with."""
    return AuditChain(key.derive("audit"))


def _open_for_server(place: StorePlace, key: ServerKey, node: str) -> AbstractAsyncContextManager[Store]:
    if isinstance(place, PostgresPlace):
        return _open_postgres(place, node, key)
    settings = place.settings.store
    files = FilePolicy(int(settings.busy_timeout), settings.min_free)
    return open_migrated(place.database, files, name_hash(key), audit_pen(key))


def _open_for_command(place: StorePlace, key: ServerKey | None) -> AbstractAsyncContextManager[Store]:
    if isinstance(place, PostgresPlace):
        return _open_postgres(place, "", key)
    if key is None:
        return open_migrated(place.database)
    return open_migrated(place.database, hash_name=name_hash(key), pen=audit_pen(key))


def _open_postgres(
    place: PostgresPlace, node: str, key: ServerKey | None
) -> AbstractAsyncContextManager[Store]:
    """node: "" for a command. key: None before there is one."""
    from regserver.store.postgres import PostgresPolicy, open_postgres  # as above

    settings = place.settings.store
    policy = PostgresPolicy(
        least=2 if node else 1,
        most=settings.pool_size if node else COMMAND_CONNECTIONS,
        patience=settings.pool_timeout.seconds,
        statement=settings.statement_timeout.seconds,
        listens=bool(node),
        link="local" if place.settings.fanout.engine == "local" else "postgres",
    )
    words = connection_words(place, node or "command")
    if key is None:
        return open_postgres(words, policy)
    return open_postgres(words, policy, name_hash(key), audit_pen(key))


async def _refuse_another_start(place: PostgresPlace) -> None:
    """Raises ServerKeyFault if the key is not here and the store was made with one: a new key could read nothing in it."""
    if place.key.exists():
        return
    async with _open_for_command(place, None) as store:
        kept = await store.read(lambda transaction: transaction.server_keys.find())
    if kept is not None:
        raise ServerKeyFault(f"{place.key}: No such file; {place} was made with a key: {_WAY_OUT}")


def _compare(place: StorePlace, key: ServerKey, kept: bytes) -> None:
    if not hmac.compare_digest(kept, key.fingerprint):
        raise ServerKeyFault(f"{place.key}: not the key that {place} was made with: {_WAY_OUT}")
