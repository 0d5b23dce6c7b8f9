"""Pauses between two attempts to reach the server: longer each time, and never in step with those of other clients."""

import random

import trio

from regserver.client.fault import Unreachable

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 5.0


class Pauses:
    """patience: seconds without success after which `wait` gives up; infinite for never."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._next = FIRST_SECONDS
        self._since: float | None = None

    def reset(self) -> None:
        """The server was reached."""
        self._next = FIRST_SECONDS
        self._since = None

    async def wait(self, fault: Exception) -> None:
        """Waits until the next attempt. fault: why there is one. Raises Unreachable when patience is at an end."""
        now = trio.current_time()
        self._since = now if self._since is None else self._since
        if now - self._since >= self._patience:
            raise Unreachable(f"not in {self._patience:g} s: {fault!r}") from fault
        await trio.sleep(self._next * random.uniform(0.5, 1))  # noqa: S311  (no secret)
        self._next = min(2 * self._next, LONGEST_SECONDS)
