"""Verifying the ledger: every link of the journal's chain, and that it has every account."""

import msgspec

from regserver.domain.journal import START, JournalEntry, fault_of
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

PAGE = 500


class LedgerWhole(msgspec.Struct, frozen=True):
    """The ledger is correct. head: the last hash, in hex. Stored elsewhere, it proves later that no entry was rewritten."""

    entries: int
    head: str


class LedgerBroken(msgspec.Struct, frozen=True):
    """The ledger is wrong. detail: the first wrong entry and its fault."""

    detail: str


async def verify_ledger(store: Store) -> LedgerWhole | LedgerBroken:
    """Verifies the whole journal on one snapshot, page by page. Raises StoreFault."""
    return await store.read(_verify)


async def _verify(transaction: Transaction) -> LedgerWhole | LedgerBroken:
    last: JournalEntry | None = None
    while page := await transaction.journal.page(last.number if last else 0, PAGE):
        for entry in page:
            if fault := fault_of(entry, last):
                return LedgerBroken(fault)
            account = await transaction.accounts.by_ledger_name(entry.user_id)
            if account is None or account.username != entry.username:
                return LedgerBroken(
                    f"entry {entry.number} records an account that is not there, or under another name"
                )
            last = entry
    if (missing := await transaction.journal.unjournalled()) is not None:
        return LedgerBroken(f"no entry records the account {missing}; entries may be missing at the end")
    return LedgerWhole(last.number, last.hash.hex()) if last else LedgerWhole(0, START.hex())
