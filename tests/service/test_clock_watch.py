"""A system clock that was wrong for a while: nothing waits for longer than it can."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from regserver.domain.guess import CounterKey
from regserver.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, after
from regserver.ports.future_table import Horizons
from regserver.service import clock_watch
from regserver.service.clock_watch import ClockWatch
from regserver.service.mail_delivery import LONGEST_DELAY
from regserver.service.steps_service import StepResult
from regserver.store.sqlite import SqliteStore, open_sqlite
from tests.fake import EPOCH, ManualClock
from tests.guess import HOME
from tests.steps import email, open_steps

HORIZONS = Horizons(mail=LONGEST_DELAY, retry=DAY, registration=DAY, reservation=DAY, closure=HOUR)
AHEAD = Instant(EPOCH + 2 * DAY)
KEY = CounterKey(b"counter")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_sqlite(tmp_path / "x.db") as opened:
        yield opened


async def mail_waits(store: SqliteStore, due_at: Instant) -> None:
    async def work(transaction: object) -> None:
        await transaction.outbox.add(b"sealed", due_at)  # type: ignore[attr-defined]

    await store.write(work)


async def due(store: SqliteStore, now: Instant) -> int:
    leased = await store.write(
        lambda transaction: transaction.outbox.lease("node", now, after(now, MINUTE), 10)
    )
    return len(leased)


async def test_mail_that_was_written_ahead_goes_out(store: SqliteStore) -> None:
    await mail_waits(store, AHEAD)
    await mail_waits(store, EPOCH)
    watch = ClockWatch(store, ManualClock(), HORIZONS)
    assert await watch.pull_in() == 1
    assert await due(store, EPOCH) == 1
    assert await due(store, after(EPOCH, LONGEST_DELAY)) == 2
    assert await watch.pull_in() == 0  # what is right is left alone


async def test_a_counter_that_begins_in_the_future_begins_now(store: SqliteStore) -> None:
    for _ in range(3):
        await store.write(lambda transaction: transaction.guesses.count(KEY, None, AHEAD))
    await ClockWatch(store, ManualClock(), HORIZONS).pull_in()
    failures = await store.read(lambda transaction: transaction.guesses.failures(KEY))
    assert failures is not None
    assert (failures.count, failures.last_at) == (3, EPOCH)  # it stays counted


async def test_a_contact_is_not_locked_for_days(tmp_path: Path) -> None:
    async with open_steps(tmp_path) as steps:
        contact = email("ada@example.org")
        steps.clock.advance(30 * DAY)
        assert isinstance(await steps.service.first_step(contact, "", "web", HOME), StepResult)
        steps.clock.advance(-30 * DAY)
        watch = ClockWatch(steps.store, steps.clock, HORIZONS)
        await watch.pull_in()
        steps.clock.advance(DAY + SECOND)
        again = await steps.service.first_step(contact, "", "web", HOME)
        assert isinstance(again, StepResult), again


async def test_a_jump_is_noticed_and_small_steps_are_not(
    store: SqliteStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "LOOK_SECONDS", 0.05)
    clock = ManualClock()
    caplog.set_level(logging.WARNING)
    watch = ClockWatch(store, clock, HORIZONS)
    clock.advance(SECOND)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.run)
        await trio.sleep(0.2)
        assert "set by" not in caplog.text
        await mail_waits(store, AHEAD)
        clock.advance(HOUR)
        with trio.fail_after(30):
            while "pulled in" not in caplog.text:  # noqa: ASYNC110  (the watch tells nobody else)
                await trio.sleep(0.1)
        nursery.cancel_scope.cancel()
    assert "the system clock was set by 3" in caplog.text
