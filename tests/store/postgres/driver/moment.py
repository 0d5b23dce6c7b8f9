"""Waiting for something, and cancelling at every moment."""

import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import trio

from regserver.store.postgres.driver import PgConnection


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until it holds; raises trio.TooSlowError."""
    with trio.fail_after(seconds):
        while not holds():  # noqa: ASYNC110  (nothing tells)
            await trio.sleep(0.005)


async def until_it(holds: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """As `until`."""
    with trio.fail_after(seconds):
        while not await holds():  # noqa: ASYNC110  (nothing tells)
            await trio.sleep(0.005)


async def until_running(watcher: PgConnection, words: str, state: str = "active") -> None:
    """Waits until a statement with these words is in a state, as another connection sees it."""

    async def seen() -> bool:
        statement = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE query LIKE '%' || $1::text || '%' AND state = $2 AND pid <> pg_backend_pid()"
        )
        return bool(await watcher.value(statement, words, state))

    await until_it(seen)


async def cancelled_at(work: Callable[[], Coroutine[Any, Any, None]], number: int) -> bool:
    """Runs `work` and cancels it at its await number `number`, counted from 0. Tells whether it came that far.

    An await is a time when the task waits in Trio's loop, shielded ones included.
    """
    count = 0
    with trio.CancelScope() as scope:

        @types.coroutine
        def counted() -> Generator[Any, Any, None]:
            nonlocal count
            coroutine = work()
            step: Callable[[], Any] = lambda: coroutine.send(None)  # noqa: E731
            while True:
                try:
                    trap = step()
                except StopIteration:
                    return
                if count == number:
                    scope.cancel()
                count += 1
                step = yield from _step(coroutine, trap)

        await counted()
    return count > number


def _step(coroutine: Coroutine[Any, Any, None], trap: Any) -> Generator[Any, Any, Callable[[], Any]]:
    try:
        value = yield trap
    except BaseException as error:
        thrown = error
        return lambda: coroutine.throw(thrown)
    return lambda: coroutine.send(value)
