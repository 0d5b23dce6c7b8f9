"""The function by which commands open the store."""

import argparse
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from regserver.adapters.server_key import ServerKeyFault
from regserver.cli import CommandFault, configuration
from regserver.config import ConfigFault, SqlitePlace, StorePlace, store_place
from regserver.group import unwrapped
from regserver.ports.store import Store, StoreFault
from regserver.store_opening import open_command_store

T = TypeVar("T")


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


def existing_place(chosen: argparse.Namespace) -> StorePlace:
    """The configured place; of SQLite, where there is a database. Raises ConfigFault, CommandFault."""
    place = store_place(configuration(chosen))
    if isinstance(place, SqlitePlace) and not place.database.is_file():
        raise CommandFault(f"{place.database}: no such database{place.hint}")
    return place
