"""`regserver migrate`: brings the database's schema up to date, which `serve` does at its start as well, or takes it back."""

import argparse
from contextlib import nullcontext

import trio

from regserver.adapters.system import SystemClock
from regserver.cli import CommandFault, configuration
from regserver.cli.store import existing_place
from regserver.cli.told import Told, tell
from regserver.config import PostgresPlace, SqlitePlace, StorePlace, store_place
from regserver.store.sqlite import held, roll_back
from regserver.store_opening import migrate_store


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "--rollback",
        action="store_true",
        help="go back to the copy from before the last migration, for an older version of regserver; what was written"
        " since is set aside",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> None:
    """Migrates the database, or takes it back. No server may have the file of SQLite open."""
    if chosen.rollback:
        tell(chosen, _roll_back(existing_place(chosen)))
        return
    place = store_place(configuration(chosen))
    with held(place.database) if isinstance(place, SqlitePlace) else nullcontext():
        version = trio.run(migrate_store, place, SystemClock().now())
    line = f"{place}: schema version {version}"
    tell(chosen, Told((line,), {"store": str(place), "schemaVersion": version}))


def _roll_back(place: StorePlace) -> Told:
    if isinstance(place, PostgresPlace):
        raise CommandFault(f"{place}: no copy is kept from before a migration: restore a backup")
    with held(place.database):
        version, old = roll_back(place.database)
    line = f"{place}: schema version {version} again; what was written since is in {old.name}"
    value = {
        "store": str(place),
        "schemaVersion": version,
        "setAside": str(place.database.with_name(old.name)),
    }
    return Told((line,), value)
