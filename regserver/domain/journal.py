"""The ledger's journal: entries whose hashes form a chain, and a head that seals its end. Both are keyed.

The hash of an entry covers its number, its content and the hash before it. Changing, removing or inserting an entry changes
every later hash, and nobody without the server's key can compute those. The head covers the last number and hash, so that
entries at the end cannot vanish. Somebody who may write the database can still put back an older head with the entries of its
time; only a head that is stored elsewhere proves against that. The log and every backup have it.

An entry that was emptied because its account was erased (`JournalSeal.emptied`) has a seal instead of its content.

Journals of older servers begin with entries whose hashes have no key, up to `keyed_from` in the head.
"""

import hashlib
import hmac
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

    number: from 1 without gaps. reference: the transaction on an outer ledger, or "". erased: the seal of an entry that was
    emptied with its account; None for all others.
    """

    number: int
    at: Instant
    reference: str
    previous: EntryHash
    hash: EntryHash
    erased: bytes | None = None


class JournalHead(msgspec.Struct, frozen=True):
    """The end of the journal: the last entry, 0 and START before the first. keyed_from: the first entry with a keyed hash."""

    number: int
    hash: EntryHash
    keyed_from: int
    seal: bytes


class JournalSeal:
    """key: 32 bytes for the journal alone, the same on every node."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def begin(self, last: JournalEntry | None) -> JournalHead:
        """The head of a journal that has none yet: what is there is older than the seal."""
        number, last_hash = _end(last)
        return self._head(number, last_hash, number + 1)

    def following(
        self, head: JournalHead, at: Instant, account: LedgerAccount, reference: str = ""
    ) -> tuple[JournalEntry, JournalHead]:
        """The entry after the head, and the head after that.

        It continues the head and not the last row: what was removed at the end leaves a gap for ever.
        """
        number = head.number + 1
        content = _content(number, at, account, reference, head.hash)
        entry = JournalEntry(
            **msgspec.structs.asdict(account),
            number=number,
            at=at,
            reference=reference,
            previous=head.hash,
            hash=EntryHash(hmac.digest(self._key, content, "sha256")),
        )
        return entry, self._head(number, entry.hash, head.keyed_from)

    def fault_of(self, entry: JournalEntry, last: JournalEntry | None, keyed_from: int) -> str | None:
        """The fault of an entry that should follow `last`, for the operator; None when there is none."""
        number, previous = _end(last)
        if entry.number != number + 1:
            return f"entry {number + 1} is missing"
        if entry.previous != previous:
            return f"entry {entry.number} does not continue the one before it"
        if entry.erased is not None:
            emptied = self.emptied(entry)
            is_right = hmac.compare_digest(entry.erased, emptied.erased or b"") and entry == emptied
            return None if is_right else f"entry {entry.number} was emptied by somebody else"
        content = _content(entry.number, entry.at, entry, entry.reference, previous)
        keyed = entry.number >= keyed_from
        expected = hmac.digest(self._key, content, "sha256") if keyed else hashlib.sha256(content).digest()
        return None if hmac.compare_digest(entry.hash, expected) else f"entry {entry.number} was changed"

    def emptied(self, entry: JournalEntry) -> JournalEntry:
        """The entry without name, keys and reference. It keeps its hash, so the chain holds, and gets a seal of its own."""
        content = b"erased" + _encode([entry.number, entry.at, entry.user_id]) + entry.hash
        return msgspec.structs.replace(
            entry,
            username="",
            owner_key="",
            active_key="",
            reference="",
            erased=hmac.digest(self._key, content, "sha256"),
        )

    def fault_of_head(self, head: JournalHead, last: JournalEntry | None) -> str | None:
        """The fault of the head after the last entry; None when there is none."""
        if not hmac.compare_digest(head.seal, self._head(head.number, head.hash, head.keyed_from).seal):
            return "the seal of the last entry is not of this server's key"
        number, last_hash = _end(last)
        if number < head.number:
            return f"entry {number + 1} is missing: the journal had {head.number} entries"
        if (number, last_hash) != (head.number, head.hash):
            return f"entry {number} is not the one that was sealed"
        return None

    def _head(self, number: int, last_hash: EntryHash, keyed_from: int) -> JournalHead:
        content = b"head" + _encode([number, keyed_from]) + last_hash
        return JournalHead(number, last_hash, keyed_from, hmac.digest(self._key, content, "sha256"))


def _content(number: int, at: Instant, account: LedgerAccount, reference: str, previous: EntryHash) -> bytes:
    keys = account.owner_key, account.active_key
    return previous + _encode([number, at, account.user_id, account.username, *keys, reference])


def _end(last: JournalEntry | None) -> tuple[int, EntryHash]:
    return (0, START) if last is None else (last.number, last.hash)
