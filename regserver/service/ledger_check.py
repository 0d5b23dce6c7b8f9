"""Verifying the ledger: every link of the journal's chain, and that it has every account."""

from functools import partial

import msgspec

from regserver.domain.journal import START, JournalEntry, JournalSeal
from regserver.ports.store import Store
from regserver.ports.transaction import Transaction

PAGE = 500


class LedgerWhole(msgspec.Struct, frozen=True):
    """The ledger is correct. head: the last hash, in hex. Stored elsewhere, it proves later that no entry was rewritten.

    keyed_from: the first entry whose hash has a key.
    """

    entries: int
    head: str
    keyed_from: int = 1


class LedgerBroken(msgspec.Struct, frozen=True):
    """The ledger is wrong. detail: the first wrong entry and its fault."""

    detail: str


UNSEALED = "the journal has no seal; a server that was upgraded makes it at its next start"


async def verify_ledger(store: Store, seal: JournalSeal) -> LedgerWhole | LedgerBroken:
    """Verifies the whole journal on one snapshot, page by page. Raises StoreFault."""
    return await store.read(partial(_verify, seal))


async def _verify(seal: JournalSeal, transaction: Transaction) -> LedgerWhole | LedgerBroken:
    head = await transaction.journal.head()
    if head is None:
        return LedgerBroken(UNSEALED) if await transaction.journal.last() else LedgerWhole(0, START.hex())
    last = await _verify_entries(seal, transaction, head.keyed_from)
    if isinstance(last, LedgerBroken):
        return last
    if fault := seal.fault_of_head(head, last):
        return LedgerBroken(fault)
    if (missing := await transaction.journal.unjournalled()) is not None:
        return LedgerBroken(f"no entry records the account {missing}; entries may be missing at the end")
    return LedgerWhole(head.number, head.hash.hex(), head.keyed_from)


async def _verify_entries(
    seal: JournalSeal, transaction: Transaction, keyed_from: int
) -> JournalEntry | LedgerBroken | None:
    """The last entry, if all of them are correct; None when there is none."""
    last: JournalEntry | None = None
    while page := await transaction.journal.page(last.number if last else 0, PAGE):
        for entry in page:
            if fault := seal.fault_of(entry, last, keyed_from):
                return LedgerBroken(fault)
            account = await transaction.accounts.by_ledger_name(entry.user_id)
            if account is None or (entry.erased is None and account.username != entry.username):
                return LedgerBroken(
                    f"entry {entry.number} records an account that is not there, or under another name"
                )
            last = entry
    return last
