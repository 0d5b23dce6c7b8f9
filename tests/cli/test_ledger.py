"""`regserver ledger verify`: a correct journal, and each kind of fault."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from regserver.adapters.derived_key import journal_seal
from regserver.adapters.ledger import EmbeddedLedger
from regserver.adapters.server_key import load_server_key
from regserver.domain.account import NewAccount
from regserver.domain.instant import Instant
from regserver.domain.journal import LedgerAccount
from regserver.ports.transaction import Transaction
from regserver.service.add_account import add_account
from regserver.store.sqlite import open_sqlite
from tests.cli.shell import Shell

NOW = Instant(1_600_000_000_000)


async def register(folder: Path, *names: str) -> None:
    """Accounts of the steps, each with its entry in the journal."""

    async def work(transaction: Transaction) -> None:
        for name in names:
            user_id = f"reg1{name:a<8}"
            account = NewAccount(username=name, origin="steps", created_at=NOW, ledger_name=user_id)
            await add_account(transaction, account)
            entry = LedgerAccount(user_id=user_id, username=name, owner_key="PUB_K1_o", active_key="PUB_K1_a")
            await ledger.record(transaction, entry, "", NOW)

    ledger = EmbeddedLedger(journal_seal(load_server_key(folder / "test.key")))
    async with open_sqlite(folder / "test.db") as store:
        await store.write(work)


def tamper(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "test.db")) as connection, connection:
        assert connection.execute(statement).rowcount == 1


async def test_a_whole_journal(shell: Shell) -> None:
    await register(shell.folder, "ann", "bob")
    done = await shell.run("ledger", "verify")
    start = f"{shell.folder / 'test.db'}: 2 entries, all in order; last hash "
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(start)
    assert len(bytes.fromhex(done.out.removeprefix(start))) == 32


async def test_both_outcomes_as_json(shell: Shell) -> None:
    await register(shell.folder, "ann", "bob")
    done = await shell.run("ledger", "verify", "--json")
    found = json.loads(done.out)
    assert (done.code, len(bytes.fromhex(found.pop("lastHash")))) == (0, 32)
    assert found == {"whole": True, "entries": 2, "keyedFrom": 1}
    tamper(shell.folder, "DELETE FROM ledger_journal WHERE number = 1")
    done = await shell.run("ledger", "verify", "--json")
    assert (done.code, json.loads(done.out)) == (1, {"whole": False, "fault": "entry 1 is missing"})


async def test_an_empty_journal(shell: Shell) -> None:
    await register(shell.folder)
    done = await shell.run("ledger", "verify")
    assert (done.code, "0 entries, all in order" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ledger_journal SET username = 'eve' WHERE number = 1", "entry 1"),
        ("DELETE FROM ledger_journal WHERE number = 1", "entry 1 is missing"),
        ("DELETE FROM ledger_journal WHERE number = 2", "entry 2 is missing: the journal had 2 entries"),
        ("UPDATE account SET username = 'eve' WHERE username = 'bob'", "entry 2 records an account"),
    ],
)
async def test_a_change_is_found(shell: Shell, statement: str, said: str) -> None:
    await register(shell.folder, "ann", "bob")
    tamper(shell.folder, statement)
    done = await shell.run("ledger", "verify")
    assert (done.code, done.err) == (1, "")
    assert said in done.out
    assert done.out.count("\n") == 1


async def test_wrong_usage(shell: Shell) -> None:
    assert (await shell.run("ledger")).code == 2
    assert (await shell.run("ledger", "repair")).code == 2


async def test_a_file_that_is_no_database(shell: Shell) -> None:
    (shell.folder / "test.db").write_text("this is not a database, whatever it may be called")
    done = await shell.run("ledger", "verify")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"regserver: {shell.folder / 'test.db'}: file is not a database\n"
