"""Erasure in the tables: every table is named in it, and nothing that an account's rows said is left in any."""

from contextlib import closing
from pathlib import Path

import pytest

from regserver.domain.account import DELETED_USER, AccountId, name_key
from regserver.domain.instant import DAY, Instant
from regserver.service.ledger_check import LedgerWhole, verify_ledger
from regserver.store.sql.erasure_rows import TRACES
from regserver.store.sqlite import connect, migrate, open_sqlite
from tests.deletion import open_erasure
from tests.fake import EPOCH, JOURNAL_SEAL, NAME_HASH, ManualClock
from tests.store.test_upgrade import NEWEST, fill, schema

LATER = Instant(EPOCH + 30 * DAY)


def filled(folder: Path) -> Path:
    path = folder / "x.db"
    fill(path, NEWEST)
    migrate(path, EPOCH)
    return path


def test_every_table_is_named(tmp_path: Path) -> None:
    with closing(connect(filled(tmp_path))) as connection:
        tables = {name for name, _ in schema(connection)}
    named = [trace.table for trace in TRACES]
    assert set(named) == tables
    assert len(named) == len(tables)
    assert all(trace.removed or trace.emptied[0] or trace.kept for trace in TRACES)


def test_every_column_that_names_an_account_is_told(tmp_path: Path) -> None:
    """A table with such a column removes its rows, empties them, or says why it keeps them."""
    fates = {trace.table: trace for trace in TRACES}
    with closing(connect(filled(tmp_path))) as connection:
        referring = {
            (table, row[3])
            for table, _ in schema(connection)
            for row in connection.execute(f"PRAGMA foreign_key_list({table})")
            if row[2] == "account"
        }
    for table, column in referring:
        fate = fates[table]
        assert column in fate.removed or fate.emptied[0] or fate.kept, (table, column)


def texts(path: Path, account: int) -> set[bytes]:
    """What the account's rows say of the person: names, addresses, keys, profile."""
    with closing(connect(path, read_only=True)) as connection:
        (username, email, password, subject, ledger_name) = connection.execute(
            "SELECT username, email, password_hash, subject, ledger_name FROM account WHERE id = ?",
            (account,),
        ).fetchone()
        found = [username, email, password, subject]
        for row in connection.execute("SELECT * FROM profile WHERE account_id = ?", (account,)):
            found += row[1:]
        for row in connection.execute(
            "SELECT agent, network, name FROM token WHERE account_id = ?", (account,)
        ):
            found += row
        for row in connection.execute(
            "SELECT contact, mask FROM steps_registration WHERE user_id = ?", (ledger_name,)
        ):
            found += row
        found += [
            row[0]
            for row in connection.execute(
                "SELECT contact FROM verified_contact WHERE account_id = ?", (account,)
            )
        ]
        found += [
            row[0]
            for row in connection.execute(
                "SELECT network FROM known_network WHERE account_id = ?", (account,)
            )
        ]
    return {value if isinstance(value, bytes) else value.encode() for value in found if value}


ACCOUNTS = range(1, 9)


@pytest.mark.parametrize("number", ACCOUNTS)
async def test_nothing_of_a_person_is_left_in_the_file(tmp_path: Path, number: int) -> None:
    path = filled(tmp_path)
    said = texts(path, number).difference(*(texts(path, other) for other in range(1, 10) if other != number))
    assert said
    account = AccountId(number)
    async with open_sqlite(path, hash_name=NAME_HASH) as store:
        await store.write(lambda transaction: transaction.accounts.mark_deleted(account, EPOCH))
        before = await store.read(lambda transaction: transaction.accounts.by_id(account))
        erasure = open_erasure(store, ManualClock(LATER))
        assert await erasure.erase_due() >= 1
        after = await store.read(lambda transaction: transaction.accounts.by_id(account))
        assert await erasure.erase_due() == 0
    assert before is not None
    assert after is not None
    assert (after.id, after.username, after.ledger_name) == (number, DELETED_USER, before.ledger_name)
    assert (after.email, after.password_hash, after.subject, after.server) == (None, None, None, None)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        dump = "\n".join(connection.iterdump()).encode()
    file = path.read_bytes()
    for value in said:
        if len(value) > 4:  # shorter ones are found by chance, as in others' words
            assert value not in file, value
            assert value not in dump, value


async def test_a_name_is_never_given_again_and_not_kept(tmp_path: Path) -> None:
    path, now = filled(tmp_path), LATER
    async with open_sqlite(path, hash_name=NAME_HASH) as store:
        await store.write(lambda transaction: transaction.accounts.mark_deleted(AccountId(8), EPOCH))
        await open_erasure(store, ManualClock(now)).erase_due()
        key = name_key("ALICE5")
        held = await store.read(lambda transaction: transaction.names.holder(key, now))
        assert held is not None
        assert held.key == "account:8"
        for claimant in ("account:9", "account:8", "live:alice5"):
            assert not await store.write(
                lambda transaction, who=claimant: transaction.names.claim(key, who, None, now)  # type: ignore[misc]
            )
        assert await store.read(lambda transaction: transaction.accounts.by_name(key)) is None
        with closing(connect(path, read_only=True)) as connection:
            assert not connection.execute("SELECT 1 FROM name WHERE name_key = 'alice5'").fetchall()


async def test_the_ledger_stays_whole_and_only_the_server_empties_it(tmp_path: Path) -> None:
    path = filled(tmp_path)
    async with open_sqlite(path, hash_name=NAME_HASH) as store:
        whole = await verify_ledger(store, JOURNAL_SEAL)
        assert isinstance(whole, LedgerWhole), whole
        await store.write(lambda transaction: transaction.accounts.mark_deleted(AccountId(6), EPOCH))
        await open_erasure(store, ManualClock(LATER)).erase_due()
        assert (
            await verify_ledger(store, JOURNAL_SEAL) == whole
        )  # a head that was noted elsewhere still holds
    with closing(connect(path)) as connection:
        (seal,) = connection.execute("SELECT erased FROM ledger_journal WHERE number = 1").fetchone()
        connection.execute(
            "UPDATE ledger_journal SET username = '', owner_key = '', active_key = '', erased = ? WHERE number = 2",
            (seal,),
        )
    async with open_sqlite(path) as store:
        broken = await verify_ledger(store, JOURNAL_SEAL)
        assert "entry 2 was emptied by somebody else" in str(broken)


async def test_a_restored_account_is_not_erased(tmp_path: Path) -> None:
    path = filled(tmp_path)
    async with open_sqlite(path, hash_name=NAME_HASH) as store:
        ann = AccountId(1)
        await store.write(lambda transaction: transaction.accounts.mark_deleted(ann, EPOCH))
        assert await store.write(lambda transaction: transaction.accounts.restore(ann, EPOCH))
        assert not await open_erasure(store, ManualClock(LATER)).erase(ann, LATER)
        assert not await store.write(lambda transaction: transaction.accounts.restore(ann, EPOCH))
