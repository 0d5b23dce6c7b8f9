"""The journal: what was changed, removed or put in is found."""

import msgspec
import pytest

from regserver.domain.instant import Instant
from regserver.domain.journal import EntryHash, JournalEntry, LedgerAccount, fault_of, following


def chain(length: int) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    for number in range(length):
        account = LedgerAccount(
            user_id=f"reg1{number:08d}", username=f"user{number}", owner_key="PUB_K1_a", active_key="PUB_K1_b"
        )
        entries.append(following(entries[-1] if entries else None, Instant(number), account))
    return entries


def first_fault(entries: list[JournalEntry]) -> str | None:
    last = None
    for entry in entries:
        if fault := fault_of(entry, last):
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
    rehashed[2] = following(rehashed[1], Instant(2), account)
    assert first_fault(rehashed) == "entry 4 does not continue the one before it"
    headless = [msgspec.structs.replace(chain(1)[0], previous=EntryHash(b"x" * 32))]
    assert first_fault(headless) == "entry 1 does not continue the one before it"
