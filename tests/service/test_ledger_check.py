"""Verifying the ledger finds changes in the database, and names the entry."""

import sqlite3
from pathlib import Path

import pytest

from regserver.domain.journal import JournalSeal
from regserver.service.ledger_check import LedgerBroken, LedgerWhole, verify_ledger
from tests.fake import JOURNAL_SEAL
from tests.steps import Steps, open_steps, phone


async def three(steps: Steps) -> None:
    for n in range(3):
        await steps.to_registered(phone(f"+38000000000{n}"), f"user-{n}")


def change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "x.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


async def test_an_untouched_journal_is_whole(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        assert await verify_ledger(steps.store, JOURNAL_SEAL) == LedgerWhole(0, "00" * 32)
        await three(steps)
        outcome = await verify_ledger(steps.store, JOURNAL_SEAL)
        last = await steps.store.read(lambda transaction: transaction.journal.last())
    assert last is not None
    assert outcome == LedgerWhole(3, last.hash.hex())


async def test_the_last_entry_does_not_vanish_with_its_account(tmp_path: Path) -> None:
    """Nor does the next one take its number."""
    async with open_steps(tmp_path) as steps:
        await three(steps)
        change(tmp_path, "DELETE FROM ledger_journal WHERE number = 3")
        change(tmp_path, "DELETE FROM name WHERE name_key = 'user-2'")
        change(tmp_path, "DELETE FROM account WHERE username = 'user-2'")
        missing = "entry 3 is missing"
        assert await verify_ledger(steps.store, JOURNAL_SEAL) == LedgerBroken(
            f"{missing}: the journal had 3 entries"
        )
        await steps.to_registered(phone("+380000000009"), "user-9")
        assert await verify_ledger(steps.store, JOURNAL_SEAL) == LedgerBroken(missing)


async def test_another_servers_key_is_told(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        await three(steps)
        assert isinstance(await verify_ledger(steps.store, JournalSeal(bytes(32))), LedgerBroken)


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("UPDATE ledger_journal SET owner_key = 'PUB_K1_mine' WHERE number = 2", "entry 2 was changed"),
        ("UPDATE ledger_journal SET at = at + 1 WHERE number = 3", "entry 3 was changed"),
        ("UPDATE ledger_journal SET hash = x'00' WHERE number = 1", "entry 1 was changed"),
        ("DELETE FROM ledger_journal WHERE number = 1", "entry 1 is missing"),
        ("DELETE FROM ledger_journal WHERE number = 2", "entry 2 is missing"),
        (
            "DELETE FROM ledger_journal WHERE number = 3",
            "entry 3 is missing: the journal had 3 entries",
        ),
        (
            "DELETE FROM ledger_head",
            "the journal has no seal; a server that was upgraded makes it at its next start",
        ),
        ("UPDATE ledger_head SET keyed_from = 4", "entry 1 was changed"),
        (
            "UPDATE ledger_head SET number = 2",
            "the seal of the last entry is not of this server's key",
        ),
        (
            "UPDATE account SET username = 'mallory' WHERE id = 2",
            "entry 2 records an account that is not there, or under another name",
        ),
    ],
)
async def test_the_first_broken_entry_is_named(tmp_path: Path, statement: str, detail: str) -> None:
    async with open_steps(tmp_path) as steps:
        await three(steps)
        last = await steps.store.read(lambda transaction: transaction.journal.last())
        assert last is not None
        change(tmp_path, statement)
        assert await verify_ledger(steps.store, JOURNAL_SEAL) == LedgerBroken(
            detail.replace("{2}", last.user_id)
        )
