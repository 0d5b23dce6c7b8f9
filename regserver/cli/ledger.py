"""`regserver ledger verify`: verifies the journal and names the first wrong entry."""

import argparse

from regserver.cli import FAILED
from regserver.cli.store import StorePlace, open_store
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
    outcome = await verify_ledger(store)
    if isinstance(outcome, LedgerBroken):
        print(f"{place.database}: {outcome.detail}")
        return FAILED
    print(f"{place.database}: {outcome.entries} entries, all in order; last hash {outcome.head}")
    return None
