"""`regserver migrate`: brings the database's schema up to date, which `serve` does at its start as well."""

import argparse

from regserver.adapters.system import SystemClock
from regserver.cli import configuration
from regserver.cli.store import store_place
from regserver.store.sqlite import migrate


def run(chosen: argparse.Namespace) -> None:
    """Migrates the database."""
    database = store_place(configuration(chosen).settings).database
    version = migrate(database, SystemClock().now())
    print(f"{database}: schema version {version}")
