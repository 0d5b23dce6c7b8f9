"""The way of write units to the writer's thread: while several tasks write at once, all units of one step of the loop go together.

Otherwise the thread would take the first and commit it alone while the others are being made: a commit more, a write more to
every socket that hears of both, and two threads that take turns on one interpreter. A single writer's unit goes at once.
"""

from collections.abc import Callable
from typing import Any

import trio

from regserver.store.sqlite.unit import Job


class WriteGate:
    """hand_over: gives units to the thread."""

    def __init__(self, hand_over: Callable[[list[Job[Any]]], None]) -> None:
        self._hand_over = hand_over
        self._gathered: list[Job[Any]] = []
        self._idle = trio.lowlevel.ParkingLot()
        self._several = False
        self._stopped = False

    def put_nowait(self, job: Job[Any]) -> None:
        """Hands a unit over, at the end of this step of the loop at the latest."""
        if self._several:
            if not self._gathered:  # else `run` is to go on already
                self._idle.unpark()
            self._gathered.append(job)
        else:
            self._hand_over([job])

    def finished_nowait(self, units: int) -> None:
        """A commit of so many units is done: as many tasks are likely to write again."""
        self._several = units > 1

    async def run(self) -> None:
        """Hands over what is gathered until `stop`, also within a cancelled scope: whoever cleans up there may still write."""
        with trio.CancelScope(shield=True):
            while self._gathered or not self._stopped:
                if self._gathered:
                    gathered, self._gathered = self._gathered, []
                    self._hand_over(gathered)
                else:
                    await self._idle.park()

    def stop(self) -> None:
        """Ends `run` once nothing is gathered."""
        self._stopped = True
        self._idle.unpark()
