"""What is loaded and opened when it is first needed, in a thread: see "What an idle server does not load" in docs/architecture.md."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Late(Generic[T]):
    """load: imports it, in a thread, and returns what opens it."""

    def __init__(self, load: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._load = load
        self._loading = trio.Lock()
        self._opened = AsyncExitStack()
        self._found: list[T] = []

    async def get(self) -> T:
        """The same for all. Raises what loading and opening raise; the next call tries again."""
        async with self._loading:
            if not self._found:
                opening = await trio.to_thread.run_sync(self._load)
                self._found.append(await self._opened.enter_async_context(opening))
        return self._found[0]

    async def aclose(self) -> None:
        """Closes it, where it was opened."""
        await self._opened.aclose()
