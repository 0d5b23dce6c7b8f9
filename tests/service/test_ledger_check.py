"""Verifying the ledger finds changes in the database, and names the entry."""

import sqlite3
from pathlib import Path

import pytest

from regserver.service.ledger_check import LedgerBroken, LedgerWhole, verify_ledger
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
        assert await verify_ledger(steps.store) == LedgerWhole(0, "00" * 32)
        await three(steps)
        outcome = await verify_ledger(steps.store)
        last = await steps.store.read(lambda transaction: transaction.journal.last())
    assert last is not None
    assert outcome == LedgerWhole(3, last.hash.hex())


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
            "no entry records the account {2}; entries may be missing at the end",
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
        assert await verify_ledger(steps.store) == LedgerBroken(detail.replace("{2}", last.user_id))
