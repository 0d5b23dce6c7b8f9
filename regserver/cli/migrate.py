"""`regserver migrate`: brings the database's schema up to date, which `serve` does at its start as well."""

import argparse

from regserver.adapters.system import SystemClock
from regserver.cli import FINE, configuration
from regserver.cli.store import store_place
from regserver.store.sqlite import migrate


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    database = store_place(configuration(chosen).settings).database
    version = migrate(database, SystemClock().now())
    print(f"{database}: schema version {version}")
    return FINE
