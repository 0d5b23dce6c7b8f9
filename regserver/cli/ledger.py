"""`regserver ledger verify`: verifies the journal and names the first wrong entry."""

import argparse

from regserver.adapters.server_key import read_server_key
from regserver.app.base import journal_seal
from regserver.cli import FAILED
from regserver.cli.store import open_store
from regserver.config import StorePlace
from regserver.ports.store import Store
from regserver.service.ledger_check import LedgerBroken, verify_ledger


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("verify",),
        help="verify every hash of the journal, and that every account has an entry; print the last hash",
    )


def run(chosen: argparse.Namespace) -> int | None:
    """Verifies the journal."""
    return open_store(chosen, _verify)


async def _verify(store: Store, place: StorePlace) -> int | None:
    outcome = await verify_ledger(store, journal_seal(read_server_key(place.key)))
    if isinstance(outcome, LedgerBroken):
        print(f"{place}: {outcome.detail}")
        return FAILED
    print(f"{place}: {outcome.entries} entries, all in order; last hash {outcome.head}")
    if outcome.keyed_from > 1:
        print(f"entries before {outcome.keyed_from} were written by an older server, without a key")
    return None
