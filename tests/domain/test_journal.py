"""The journal: what was changed, removed or put in is found, and nobody without the key can mend the chain."""

import hashlib

import msgspec
import pytest

from regserver.domain.instant import Instant
from regserver.domain.journal import START, EntryHash, JournalEntry, JournalHead, JournalSeal, LedgerAccount
from tests.fake import JOURNAL_SEAL

OTHER_SEAL = JournalSeal(b"somebody else's key of the journal")


def chain(length: int, seal: JournalSeal = JOURNAL_SEAL) -> list[JournalEntry]:
    return sealed_chain(length, seal)[0]


def sealed_chain(length: int, seal: JournalSeal = JOURNAL_SEAL) -> tuple[list[JournalEntry], JournalHead]:
    entries: list[JournalEntry] = []
    head = seal.begin(None)
    for number in range(length):
        account = LedgerAccount(
            user_id=f"reg1{number:08d}", username=f"user{number}", owner_key="PUB_K1_a", active_key="PUB_K1_b"
        )
        entry, head = seal.following(head, Instant(number), account)
        entries.append(entry)
    return entries, head


def unkeyed(length: int) -> list[JournalEntry]:
    """As a server without a key has written them."""
    entries: list[JournalEntry] = []
    for entry in chain(length):
        previous = entries[-1].hash if entries else START
        keys = entry.owner_key, entry.active_key
        content = [entry.number, entry.at, entry.user_id, entry.username, *keys, entry.reference]
        digest = hashlib.sha256(previous + msgspec.json.encode(content)).digest()
        entries.append(msgspec.structs.replace(entry, previous=previous, hash=EntryHash(digest)))
    return entries


def first_fault(entries: list[JournalEntry], keyed_from: int = 1) -> str | None:
    last = None
    for entry in entries:
        if fault := JOURNAL_SEAL.fault_of(entry, last, keyed_from):
            return fault
        last = entry
    return None


def test_an_untouched_chain_is_whole() -> None:
    entries = chain(5)
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert first_fault(entries) is None


@pytest.mark.parametrize("field", ["at", "user_id", "username", "owner_key", "active_key", "reference"])
def test_a_changed_entry_is_named(field: str) -> None:
    entries = chain(5)
    value: object = Instant(99) if field == "at" else "other"
    entries[2] = msgspec.structs.replace(entries[2], **{field: value})
    assert first_fault(entries) == "entry 3 was changed"


def test_removed_moved_and_rehashed_entries_are_found() -> None:
    removed = chain(5)
    del removed[2]
    assert first_fault(removed) == "entry 3 is missing"
    swapped = chain(5)
    swapped[2], swapped[3] = swapped[3], swapped[2]
    assert first_fault(swapped) == "entry 3 is missing"
    rehashed = chain(5)
    account = LedgerAccount(user_id="x", username="y", owner_key="z", active_key="z")
    rehashed[2], _ = JOURNAL_SEAL.following(JOURNAL_SEAL.begin(rehashed[1]), Instant(2), account)
    assert first_fault(rehashed) == "entry 4 does not continue the one before it"
    headless = [msgspec.structs.replace(chain(1)[0], previous=EntryHash(b"x" * 32))]
    assert first_fault(headless) == "entry 1 does not continue the one before it"


@pytest.mark.parametrize("forged", [chain(5, OTHER_SEAL), unkeyed(5)], ids=["another key", "no key"])
def test_a_whole_chain_cannot_be_made_without_the_key(forged: list[JournalEntry]) -> None:
    assert first_fault(forged) == "entry 1 was changed"


def test_entries_of_an_older_server_are_good_up_to_the_seal() -> None:
    old = unkeyed(3)
    head = JOURNAL_SEAL.begin(old[-1])
    assert (head.number, head.keyed_from) == (3, 4)
    account = LedgerAccount(user_id="x", username="y", owner_key="z", active_key="z")
    new, after = JOURNAL_SEAL.following(head, Instant(9), account)
    assert first_fault([*old, new], head.keyed_from) is None
    assert (after.number, after.hash, after.keyed_from) == (4, new.hash, 4)
    assert first_fault(unkeyed(4), head.keyed_from) == "entry 4 was changed"


def test_the_head_tells_what_is_missing_at_the_end() -> None:
    entries, head = sealed_chain(3)
    assert JOURNAL_SEAL.fault_of_head(head, entries[2]) is None
    assert JOURNAL_SEAL.fault_of_head(head, entries[1]) == "entry 3 is missing: the journal had 3 entries"
    assert JOURNAL_SEAL.fault_of_head(head, None) == "entry 1 is missing: the journal had 3 entries"
    other = msgspec.structs.replace(entries[2], hash=START)
    assert JOURNAL_SEAL.fault_of_head(head, other) == "entry 3 is not the one that was sealed"
    assert JOURNAL_SEAL.fault_of_head(JOURNAL_SEAL.begin(entries[1]), entries[2]) is not None


@pytest.mark.parametrize("field", ["number", "hash", "keyed_from", "seal"])
def test_the_head_cannot_be_changed_without_the_key(field: str) -> None:
    (entry,), head = sealed_chain(1)
    value: object = bytes(32) if field in {"hash", "seal"} else 7
    changed = msgspec.structs.replace(head, **{field: value})
    assert (
        JOURNAL_SEAL.fault_of_head(changed, entry) == "the seal of the last entry is not of this server's key"
    )
