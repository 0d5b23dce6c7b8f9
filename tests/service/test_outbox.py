"""The outbox: a mail exists exactly if its transaction was committed, and nothing of it can be read in its row."""

from pathlib import Path

import pytest

from regserver.ports.mailer import Mail
from regserver.ports.outbox_table import OutboxMessage
from regserver.ports.transaction import Transaction
from regserver.service.outbox import Outbox
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import EPOCH, ManualClock, SeededRandomness

KEY = bytes(range(32))
MAIL = Mail(to="ada@example.org", subject="Your code", text="It is 482913.", html="<p>It is 482913.</p>")


def outbox(key: bytes = KEY) -> Outbox:
    return Outbox(ManualClock(), SeededRandomness(), key)


async def rows(store: SqliteStore) -> tuple[OutboxMessage, ...]:
    return await store.read(lambda transaction: transaction.outbox.list(10))


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_mail_is_there_after_the_commit(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "x.db") as store:
        await store.write(lambda transaction: outbox().enqueue(transaction, MAIL))
        (row,) = await rows(store)
    opened = outbox().open(row.sealed)
    assert opened is not None
    assert (opened.to, opened.subject, opened.text, opened.html) == (
        MAIL.to,
        MAIL.subject,
        MAIL.text,
        MAIL.html,
    )
    assert len(opened.id) == 32
    assert (row.created_at, row.due_at, row.attempts, row.parked_at) == (EPOCH, EPOCH, 0, None)
    assert opened.written_at == EPOCH


async def test_a_rolled_back_transaction_leaves_no_mail(tmp_path: Path) -> None:
    async def work(transaction: Transaction) -> None:
        await outbox().enqueue(transaction, MAIL)
        raise LookupError

    async with open_sqlite(tmp_path / "x.db") as store:
        with pytest.raises(LookupError):
            await store.write(work)
        assert await rows(store) == ()


async def test_the_files_of_the_store_hold_nothing_of_the_mail(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "x.db") as store:
        await store.write(lambda transaction: outbox().enqueue(transaction, MAIL))
        stored = stored_bytes(tmp_path)
    assert len(stored) > 0
    for part in (b"ada@example.org", b"482913", b"Your code"):
        assert part not in stored


def test_a_row_of_another_key_or_a_changed_one_does_not_open() -> None:
    sealed = outbox().seal(MAIL)
    assert outbox().open(sealed) == MAIL
    assert outbox(bytes(32)).open(sealed) is None
    assert outbox().open(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert outbox().open(b"") is None


def test_two_sealings_of_one_mail_differ() -> None:
    sealing = outbox()
    assert sealing.seal(MAIL) != sealing.seal(MAIL)
