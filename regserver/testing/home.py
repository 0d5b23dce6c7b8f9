"""The loop that a test server runs in, and how tests in the same loop, in another one or in none reach it."""

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio.to_thread
import trio

T = TypeVar("T")

PATIENCE_SECONDS = 60.0


class Home:
    """The current Trio loop. From inside, everything is called as it is; from outside, by a task of this loop."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._token = trio.lowlevel.current_trio_token()

    @property
    def _is_here(self) -> bool:
        return threading.get_ident() == self._thread

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Awaits `work` in this loop, also from another Trio or asyncio loop."""
        if self._is_here:
            return await work()
        future = self.submit(work)
        return await anyio.to_thread.run_sync(future.result, PATIENCE_SECONDS, abandon_on_cancel=True)

    def run_blocking(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs `work` in this loop and blocks the caller's thread, which is another one."""
        return self.submit(work).result(PATIENCE_SECONDS)

    def now(self, work: Callable[[], T]) -> T:
        """Calls a function that waits for nothing, in this loop."""
        if self._is_here:
            return work()

        async def call() -> T:
            return work()

        return self.run_blocking(call)

    def submit(self, work: Callable[[], Awaitable[T]]) -> Future[T]:
        """Begins `work` in this loop; for a thread that is not its own."""
        future: Future[T] = Future()
        self._token.run_sync_soon(_begin, future, work)
        return future


def _begin(future: Future[T], work: Callable[[], Awaitable[T]]) -> None:
    trio.lowlevel.spawn_system_task(_fill, future, work)


async def _fill(future: Future[T], work: Callable[[], Awaitable[T]]) -> None:
    """A system task must raise nothing: whoever asked gets it."""
    try:
        future.set_result(await work())
    except trio.Cancelled:
        future.set_exception(RuntimeError("the server's loop has ended"))
        raise
    except BaseException as error:
        future.set_exception(error)
