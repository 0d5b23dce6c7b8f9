"""Where the server keeps its state, and the one way in which commands open it."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import trio

from regserver.adapters.server_key import server_key_file
from regserver.cli import CommandFault, configuration
from regserver.config import Settings, sqlite_file
from regserver.ports.store import Store
from regserver.store.sqlite import open_sqlite

T = TypeVar("T")


class StorePlace(msgspec.Struct, frozen=True):
    """settings: in force. database: the file of the store. key: the file of the server's own key."""

    settings: Settings
    database: Path
    key: Path


def store_place(settings: Settings) -> StorePlace:
    """The place that the settings name, whether or not anything is there."""
    database = sqlite_file(settings.store.url)
    return StorePlace(settings, database, server_key_file(database))


def open_store(chosen: argparse.Namespace, work: Callable[[Store, StorePlace], Awaitable[T]]) -> T:
    """Runs `work` on the configured store, which a running server may have open as well.

    Raises ConfigFault, CommandFault when there is no database yet, StoreFault, and what `work` raises.
    """
    place = store_place(configuration(chosen).settings)
    if not place.database.is_file():
        raise CommandFault(f"{place.database}: no such database")

    async def run() -> T:
        async with open_sqlite(place.database) as store:
            return await work(store, place)

    return trio.run(run)
