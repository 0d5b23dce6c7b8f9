"""What other processes have ended: each ending once, whatever the order in which they become visible."""

from pathlib import Path

import pytest

from regserver.domain.account import AccountId
from regserver.domain.instant import MINUTE
from regserver.ports.store import Store
from regserver.service.session_endings import ForeignEndings, SessionEndings
from regserver.store.sql import session_ending_rows
from regserver.store.sqlite import connect, open_sqlite
from tests.fake import ManualClock


class MovedClock(ManualClock):
    """Its elapsed time is moved with it."""

    def elapsed(self) -> float:
        return self.now() / 1000


async def tell(store: Store, *accounts: int) -> None:
    for account in accounts:
        await store.write(
            lambda transaction, account=account: transaction.session_endings.add(AccountId(account))  # type: ignore[misc]
        )


def seen(*accounts: int, is_whole: bool = True) -> ForeignEndings:
    return ForeignEndings(frozenset(map(AccountId, accounts)), is_whole)


async def test_each_is_told_once(tmp_path: Path) -> None:
    clock = MovedClock()
    async with open_sqlite(tmp_path / "x.db") as store:
        endings = SessionEndings(store, clock)
        assert await endings.next() == seen()
        await tell(store, 1, 2, 1)
        assert await endings.next() == seen(1, 2)
        assert await endings.next() == seen()


async def test_one_that_becomes_visible_late_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    clock = MovedClock()
    async with open_sqlite(path) as store:
        endings = SessionEndings(store, clock)
        await tell(store, *range(1, 6))
        assert await endings.next() == seen(1, 2, 3, 4, 5)
        other = connect(path)
        other.execute("INSERT INTO session_ending (id, account_id) VALUES (9, 9)")
        assert await endings.next() == seen(9)
        other.execute("INSERT INTO session_ending (id, account_id) VALUES (7, 7)")
        assert await endings.next() == seen(7)
        for _ in range(2):
            clock.advance(2 * MINUTE)
            assert await endings.next() == seen()
        other.execute("INSERT INTO session_ending (id, account_id) VALUES (8, 8)")  # no unit takes so long
        assert await endings.next() == seen()
        other.close()


async def test_who_was_away_for_too_long_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_ending_rows, "KEPT", 1)
    clock = MovedClock()
    async with open_sqlite(tmp_path / "x.db") as store:
        endings = SessionEndings(store, clock)
        await tell(store, 1)
        for _ in range(2):
            await endings.next()
            clock.advance(2 * MINUTE)
        await tell(store, 2, 3)
        assert await endings.next() == seen(2, 3)
        for _ in range(2):
            clock.advance(2 * MINUTE)
            await endings.next()
        await tell(store, 4, 5, 6)
        await store.write(lambda transaction: transaction.session_endings.purge())
        assert await endings.next() == seen(6, is_whole=False)
