"""What units of work may rely on while others run beside them, at every moment at which two can meet.

Each scenario runs on both back ends, and each that names a lock once more on PostgreSQL without it: then some moment
must show what goes wrong, or the scenario would prove nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest

from regserver.ports.store import Store
from regserver.store.sqlite import open_sqlite
from tests.fake import NAME_HASH
from tests.store.meeting import account, change, code, directory, invitation, log, node, room, session, steps
from tests.store.postgres.held_store import HeldStore, open_held
from tests.store.race import Order, Outcome, Scenario, race, serial

SCENARIOS = tuple(
    each
    for part in (room, account, change, code, session, steps, directory, log, invitation, node)
    for each in part.SCENARIOS
)
LOCKED = [scenario for scenario in SCENARIOS if scenario.lock is not None]


def named(scenarios: tuple[Scenario, ...] | list[Scenario]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scenario", scenarios, ids=[each.name for each in scenarios])


@pytest.fixture(scope="module")
def place(new_database: Callable[[], str]) -> str:
    """One database for all; each test empties it."""
    return new_database()


@pytest.fixture
async def postgres(place: str) -> AsyncIterator[HeldStore]:
    async with open_held(place) as store:
        yield store


async def right_outcomes(
    fresh: Callable[[], AbstractAsyncContextManager[Store]], scenario: Scenario
) -> list[Outcome]:
    """fresh: gives an empty store."""
    found: list[Outcome] = []
    for order in get_args(Order):
        async with fresh() as store:
            found.append(await serial(store, scenario, order))
    return found + [(*answers, outcome[2]) for answers in scenario.also for outcome in found]


def emptied(store: HeldStore) -> Callable[[], AbstractAsyncContextManager[Store]]:
    @asynccontextmanager
    async def fresh() -> AsyncIterator[Store]:
        store.empty()
        yield store

    return fresh


async def outcomes(store: HeldStore, scenario: Scenario) -> AsyncIterator[Outcome]:
    """Of a race for each statement before which the first can be held."""
    stop_at, held = 0, True
    while held:
        store.empty()
        outcome, held = await race(store, scenario, stop_at)
        yield outcome
        stop_at += 1
    assert stop_at > 2


@named(SCENARIOS)
async def test_two_come_out_as_one_after_the_other(postgres: HeldStore, scenario: Scenario) -> None:
    right = await right_outcomes(emptied(postgres), scenario)
    postgres.conflicts.clear()
    wrong = [outcome async for outcome in outcomes(postgres, scenario) if outcome not in right]
    assert wrong == []
    # With its lock nobody has to begin again; without one it may happen, but never because two wait for each other.
    assert scenario.lock is None or postgres.conflicts == []
    assert [str(conflict) for conflict in postgres.conflicts if "deadlock" in str(conflict)] == []


@named(LOCKED)
async def test_without_its_lock_something_goes_wrong(postgres: HeldStore, scenario: Scenario) -> None:
    right = await right_outcomes(emptied(postgres), scenario)
    postgres.conflicts.clear()
    postgres.forgotten = scenario.lock
    try:
        wrong = [outcome async for outcome in outcomes(postgres, scenario) if outcome not in right]
    finally:
        postgres.forgotten = None
    assert wrong or postgres.conflicts


@named(SCENARIOS)
async def test_with_one_writer_no_lock_is_needed(tmp_path: Path, scenario: Scenario) -> None:
    @asynccontextmanager
    async def fresh() -> AsyncIterator[Store]:
        with TemporaryDirectory(dir=tmp_path) as folder:
            async with open_sqlite(Path(folder) / "x.db", hash_name=NAME_HASH) as store:
                yield store

    right = await right_outcomes(fresh, scenario)
    async with fresh() as store:
        outcome, _ = await race(store, scenario, stop_at=0)
    assert outcome in right
