"""The ledger's journal: entries whose hashes form a chain.

The hash of an entry covers its number, its content and the hash before it. Changing, removing or inserting an entry changes
every later hash, so one hash that is stored elsewhere proves all entries before it.
"""

import hashlib
from typing import NewType

import msgspec

from regserver.domain.instant import Instant

EntryHash = NewType("EntryHash", bytes)
START = EntryHash(bytes(32))
"""The hash before the first entry."""

_encode = msgspec.json.Encoder().encode


class LedgerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as a ledger stores it. Keys in the form PUB_K1_…."""

    user_id: str
    username: str
    owner_key: str
    active_key: str


class JournalEntry(LedgerAccount, frozen=True, kw_only=True):
    """An account and its place in the chain.

    number: from 1 without gaps. reference: the transaction on an outer ledger, or "".
    """

    number: int
    at: Instant
    reference: str
    previous: EntryHash
    hash: EntryHash


def entry_hash(
    number: int, at: Instant, account: LedgerAccount, reference: str, previous: EntryHash
) -> EntryHash:
    """SHA-256 over the previous hash and the entry's content."""
    keys = account.owner_key, account.active_key
    content = [number, at, account.user_id, account.username, *keys, reference]
    return EntryHash(hashlib.sha256(previous + _encode(content)).digest())


def following(
    last: JournalEntry | None, at: Instant, account: LedgerAccount, reference: str = ""
) -> JournalEntry:
    """The entry after `last`; None is the start of the journal."""
    number, previous = _after(last)
    return JournalEntry(
        **msgspec.structs.asdict(account),
        number=number,
        at=at,
        reference=reference,
        previous=previous,
        hash=entry_hash(number, at, account, reference, previous),
    )


def fault_of(entry: JournalEntry, last: JournalEntry | None) -> str | None:
    """The fault of an entry that should follow `last`, for the operator; None when there is none."""
    number, previous = _after(last)
    if entry.number != number:
        return f"entry {number} is missing"
    if entry.previous != previous:
        return f"entry {number} does not continue the one before it"
    if entry.hash != entry_hash(number, entry.at, entry, entry.reference, previous):
        return f"entry {number} was changed"
    return None


def _after(last: JournalEntry | None) -> tuple[int, EntryHash]:
    return (1, START) if last is None else (last.number + 1, last.hash)
