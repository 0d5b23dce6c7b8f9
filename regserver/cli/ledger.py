"""`regserver ledger verify`: checks the journal and names the first entry that is wrong."""

import argparse

import trio

from regserver.app import sqlite_path
from regserver.cli import FAILED, FINE, CommandFault, configuration
from regserver.ports.store import StoreFault
from regserver.service.ledger_check import LedgerBroken, LedgerWhole, verify_ledger
from regserver.store.sqlite import open_sqlite


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("verify",),
        help="check every hash of the journal, and that it speaks of every account; prints the last hash",
    )
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    path = sqlite_path(configuration(chosen).settings)
    if not path.is_file():
        raise CommandFault(f"{path}: no such database")

    async def verify() -> LedgerWhole | LedgerBroken:
        async with open_sqlite(path) as store:
            return await verify_ledger(store)

    try:
        outcome = trio.run(verify)
    except StoreFault as fault:
        raise CommandFault(str(fault)) from None
    if isinstance(outcome, LedgerBroken):
        print(f"{path}: {outcome.detail}")
        return FAILED
    print(f"{path}: {outcome.entries} entries, all in order; last hash {outcome.head}")
    return FINE
