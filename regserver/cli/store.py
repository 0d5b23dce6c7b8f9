"""`regserver store copy --to URL`: moves a store from SQLite to PostgreSQL. And the function by which commands open the store."""

import argparse
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from regserver.adapters.server_key import ServerKeyFault
from regserver.adapters.system import SystemClock
from regserver.cli import MISUSED, CommandFault, configuration
from regserver.cli.told import Told, tell
from regserver.config import ConfigFault, PostgresPlace, Secret, SqlitePlace, StorePlace, store_place
from regserver.config.setting import StoreSection
from regserver.config.store_url import PostgresAddress, read_store_url
from regserver.domain.instant import Instant
from regserver.group import unwrapped
from regserver.ports.clock import Clock
from regserver.ports.store import Store, StoreFault
from regserver.store.sqlite import held
from regserver.store_opening import connection_words, migrate_store, open_command_store

T = TypeVar("T")


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("copy",),
        help="copy: write everything that is in the configured file of SQLite into an empty database of PostgreSQL, and"
        " compare both; the server must not run. What was stopped goes on where it was",
    )
    parser.add_argument(
        "--to",
        metavar="URL",
        required=True,
        help="the database, postgresql://user@host/database; its password in PGPASSWORD or ~/.pgpass, since others see"
        " command lines",
    )
    parser.add_argument(
        "--anew", action="store_true", help="remove what an unfinished copy has written, and begin again"
    )
    parser.add_argument("--json", action="store_true", help="print JSON at the end")


def run(chosen: argparse.Namespace) -> None:
    """Copies the store."""
    from regserver.store.store_copy import copy_store, forget_copy, require_empty  # for this action alone

    place = existing_place(chosen)
    if isinstance(place, PostgresPlace):
        raise CommandFault(
            f"{place}: only a store of SQLite is copied; pg_dump and `regserver backup` copy this one"
        )
    target = _target(chosen.to, place)
    with held(place.database):
        words = connection_words(target, "copy")
        require_empty(place.database, words)
        trio.run(migrate_store, target, SystemClock().now())
        if chosen.anew and forget_copy(words) and not chosen.json:
            print("removed what an unfinished copy had written")
        tables, replaced = [], 0
        for table in copy_store(place.database, words, _tell_progress):
            if not chosen.json:  # each at once: a large store takes long
                print(f"{table.name:20} {table.rows:10} rows  {table.checksum[:16]}", flush=True)
            tables.append({"name": table.name, "rows": table.rows, "checksum": table.checksum})
            replaced += table.replaced
    lost = f"{replaced} texts had U+0000, which PostgreSQL cannot write: U+FFFD is in its place"
    next_step = f"Set store.url to it, and server.key to {place.key}, the same on every node"
    lines = (*((lost,) if replaced else ()), f"{target}: everything is there. {next_step}")
    value = {"store": str(target), "key": str(place.key), "tables": tables, "replacedTexts": replaced}
    tell(chosen, Told(lines, value))


def _target(url: str, place: SqlitePlace) -> PostgresPlace:
    try:
        found = read_store_url(StoreSection(url=Secret(url)))
    except ValueError as error:
        raise CommandFault(f"--to: expected {error}", MISUSED) from None
    if not isinstance(found, PostgresAddress):
        raise CommandFault('--to: expected "postgresql://user@host/database"', MISUSED)
    return PostgresPlace(place.settings, found, place.key, place.database.parent)


def _tell_progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        print(f"{table}: {rows} rows written", end="\r", file=sys.stderr)


def open_store(chosen: argparse.Namespace, work: Callable[[Store, StorePlace], Awaitable[T]]) -> T:
    """Runs `work` on the configured store, also while a server has it open. A database of an older schema is left as it is.

    Raises ConfigFault, CommandFault when there is no database yet, StoreFault, ServerKeyFault, and what `work` raises.
    """
    place = existing_place(chosen)

    async def run() -> T:
        # Of the store's nursery, which would hide from `main` what the command wants to say.
        with unwrapped(CommandFault, ConfigFault, ServerKeyFault, StoreFault):
            async with open_command_store(place) as store:
                return await work(store, place)

    return trio.run(run)


class StoreClock(Clock):
    """The time of the store's machine, by which the servers go too."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> Instant:
        """The store's."""
        return self._store.now()


def existing_place(chosen: argparse.Namespace) -> StorePlace:
    """The configured place; of SQLite, where there is a database. Raises ConfigFault, CommandFault."""
    place = store_place(configuration(chosen))
    if isinstance(place, SqlitePlace) and not place.database.is_file():
        raise CommandFault(f"{place.database}: no such database{place.hint}")
    return place
