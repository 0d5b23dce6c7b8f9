"""`regserver migrate`: brings the database's schema up to date, which `serve` does at its start as well, or takes it back."""

import argparse
from pathlib import Path

from regserver.adapters.system import SystemClock
from regserver.cli import configuration
from regserver.cli.store import existing_place
from regserver.config import store_place
from regserver.store.sqlite import held, migrate, roll_back


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "--rollback",
        action="store_true",
        help="go back to the copy from before the last migration, for an older version of regserver; what was written"
        " since is set aside",
    )


def run(chosen: argparse.Namespace) -> None:
    """Migrates the database, or takes it back. No server may have it open."""
    if chosen.rollback:
        _roll_back(existing_place(chosen).database)
        return
    database = store_place(configuration(chosen)).database
    with held(database):
        version = migrate(database, SystemClock().now())
    print(f"{database}: schema version {version}")


def _roll_back(database: Path) -> None:
    with held(database):
        version, old = roll_back(database)
    print(f"{database}: schema version {version} again; what was written since is in {old.name}")
