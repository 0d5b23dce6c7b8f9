"""`regserver ledger verify`: verifies the journal and names the first wrong entry."""

import argparse

from regserver.adapters.derived_key import journal_seal
from regserver.adapters.server_key import read_server_key
from regserver.cli import FAILED
from regserver.cli.store import open_store
from regserver.cli.told import Told, tell
from regserver.config import StorePlace
from regserver.ports.store import Store
from regserver.service.ledger_check import LedgerBroken, LedgerWhole, verify_ledger


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "action",
        choices=("verify",),
        help="verify every hash of the journal, and that every account has an entry; print the last hash",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(chosen: argparse.Namespace) -> int | None:
    """Verifies the journal."""
    found, place = open_store(chosen, _verify)
    if isinstance(found, LedgerBroken):
        tell(chosen, Told((f"{place}: {found.detail}",), {"whole": False, "fault": found.detail}))
        return FAILED
    lines = [f"{place}: {found.entries} entries, all in order; last hash {found.head}"]
    if found.keyed_from > 1:
        lines.append(f"entries before {found.keyed_from} were written by an older server, without a key")
    value = {"whole": True, "entries": found.entries, "lastHash": found.head, "keyedFrom": found.keyed_from}
    tell(chosen, Told(tuple(lines), value))
    return None


async def _verify(store: Store, place: StorePlace) -> tuple[LedgerWhole | LedgerBroken, StorePlace]:
    return await verify_ledger(store, journal_seal(read_server_key(place.key))), place
