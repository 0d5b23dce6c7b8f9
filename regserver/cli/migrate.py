"""`regserver migrate`: what `serve` does first, by itself."""

import argparse

from regserver.adapters.clock import SystemClock
from regserver.app import sqlite_path
from regserver.cli import FINE, CommandFault, configuration
from regserver.ports.store import StoreFault
from regserver.store.sqlite import migrate


def add(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    path = sqlite_path(configuration(chosen).settings)
    try:
        version = migrate(path, SystemClock().now())
    except StoreFault as fault:
        raise CommandFault(str(fault)) from None
    print(f"{path}: schema version {version}")
    return FINE
