"""Two units of work that meet, one held before each of its statements in turn.

`race` runs the first racer up to a statement and holds it there. Then the second runs until it is done or waits for a
lock; then the first goes on to its end, and the second to its. A store where one unit runs after another has nothing to
hold: there both simply start at once. Whatever the moment, the answers and what is in the store afterwards must be
those of one racer after the other, in either order.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
import trio

from regserver.domain.outcome import Refusal
from regserver.ports.store import Store
from regserver.ports.transaction import Lock
from tests.store.postgres.held_store import HeldStore, Turn, turn

Racer = Callable[[], Awaitable[object]]
Order = Literal["first", "second"]
Outcome = tuple[object, object, object]
DONE_SECONDS = 20


class Racers(msgspec.Struct, frozen=True):
    """Two who meet. observe: what there is to see of it afterwards."""

    first: Racer
    second: Racer
    observe: Callable[[], Awaitable[object]]


class Scenario(msgspec.Struct, frozen=True):
    """prepare: fills an empty store. lock: without which the two come out wrong; None where a statement is atomic.

    also: answers of the two that are right, although no order of them gives these.
    """

    name: str
    prepare: Callable[[Store], Awaitable[Racers]]
    lock: Lock | None = None
    also: tuple[tuple[object, object], ...] = ()


async def serial(store: Store, scenario: Scenario, order: Order) -> Outcome:
    """One after the other."""
    racers = await scenario.prepare(store)
    if order == "first":
        one, two = await racers.first(), await racers.second()
    else:
        two, one = await racers.second(), await racers.first()
    return shape(one), shape(two), await racers.observe()


async def race(store: Store, scenario: Scenario, stop_at: int) -> tuple[Outcome, bool]:
    """The outcome of both at once, and whether the first one was held at all before it was done."""
    racers = await scenario.prepare(store)
    answers: dict[str, object] = {}
    done = {"first": trio.Event(), "second": trio.Event()}
    held = Turn(stop_at)

    async def run(name: str, racer: Racer, its_turn: Turn) -> None:
        turn.set(its_turn)
        answers[name] = await racer()
        done[name].set()

    with trio.fail_after(DONE_SECONDS):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run, "first", racers.first, held)
            if isinstance(store, HeldStore):
                await _any(held.stopped, done["first"])
            nursery.start_soon(run, "second", racers.second, Turn())
            if isinstance(store, HeldStore):
                await _until(lambda: done["second"].is_set() or store.waiting())
            held.go.set()
        observed = await racers.observe()
    return (shape(answers["first"]), shape(answers["second"]), observed), held.stopped.is_set()


async def _until(found: Callable[[], bool]) -> None:
    while not found():  # noqa: ASYNC110  (PostgreSQL tells nobody that somebody waits)
        await trio.sleep(0.001)


async def _any(*events: trio.Event) -> None:
    """Returns when one of them is set."""
    async with trio.open_nursery() as nursery:

        async def wait(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel()

        for event in events:
            nursery.start_soon(wait, event)


def shape(answer: object) -> object:
    """An answer without what differs from run to run: ids that a repeated unit has used up, tokens, times."""
    if answer is None or isinstance(answer, bool | str):
        return answer
    if isinstance(answer, Refusal):
        return type(answer).__name__
    if isinstance(answer, tuple | list):
        return tuple(map(shape, answer))
    return type(answer).__name__


async def rows(store: Store, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """What a statement finds, on either back end."""

    async def work(transaction: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = await transaction.accounts._sql.rows(statement, *parameters)
        return found

    return await store.read(work)
