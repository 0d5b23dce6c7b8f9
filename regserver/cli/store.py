"""The files of the server's state, and the function by which commands open the store."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import trio

from regserver.adapters.server_key import ServerKeyFault, server_key_file
from regserver.cli import CommandFault, configuration
from regserver.config import ConfigFault, Settings, sqlite_file
from regserver.group import unwrapped
from regserver.ports.store import Store, StoreFault
from regserver.store.sqlite import open_sqlite

T = TypeVar("T")


class StorePlace(msgspec.Struct, frozen=True):
    """The files of one server. database: of the store. key: of the server's own key. settings: those in force."""

    settings: Settings
    database: Path
    key: Path


def store_place(settings: Settings) -> StorePlace:
    """The files that the settings name, whether or not they exist."""
    database = sqlite_file(settings.store.url)
    return StorePlace(settings, database, server_key_file(database))


def open_store(chosen: argparse.Namespace, work: Callable[[Store, StorePlace], Awaitable[T]]) -> T:
    """Runs `work` on the configured store, also while a server has it open.

    Raises ConfigFault, CommandFault when there is no database yet, StoreFault, and what `work` raises.
    """
    place = store_place(configuration(chosen).settings)
    if not place.database.is_file():
        raise CommandFault(f"{place.database}: no such database")

    async def run() -> T:
        # Of the store's nursery, which would hide from `main` what the command wants to say.
        with unwrapped(CommandFault, ConfigFault, ServerKeyFault, StoreFault):
            async with open_sqlite(place.database) as store:
                return await work(store, place)

    return trio.run(run)
