"""The time that a live registration has left, estimated from past ones.

A past run is its duration and, for each step, the time when it was shown. The time left after a step is the median of the
times left in past runs, so that one run that hung does not distort it. It is scaled, within bounds, by the ratio of this
run's pace to theirs, because a slow source is slow at all its steps. Without past runs the estimate is this run's own
pace, if the number of steps is known.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from statistics import median

import msgspec

REMEMBERED_RUNS = 50
MAX_MARKS = 64
MAX_STRETCH = 3.0
SURE_AFTER_MS = 200.0
"""Milliseconds; before this, a run's pace is not used."""


class Run(msgspec.Struct, frozen=True):
    """One finished registration. marks: (step, milliseconds after the start), both rising."""

    took_ms: int
    marks: tuple[tuple[int, int], ...] = ()

    def reached_ms(self, step: int) -> int:
        """Milliseconds from the start until the run showed `step` or the last one before it."""
        index = bisect_right(self.marks, step, key=lambda mark: mark[0])
        return self.marks[index - 1][1] if index else 0


class _Typical(msgspec.Struct, frozen=True):
    """Medians of past runs at one step, in milliseconds."""

    reached_ms: float
    left_ms: float


class Estimator:
    """The past runs of one source. Not shared between threads."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs: deque[Run] = deque(runs, REMEMBERED_RUNS)
        self._typical: dict[int, _Typical] = {}

    def become(self, runs: Iterable[Run]) -> None:
        """Takes other past runs in place of these."""
        self._runs = deque(runs, REMEMBERED_RUNS)
        self._typical.clear()

    def learn(self, run: Run) -> None:
        """Adds a finished run, and drops the oldest beyond REMEMBERED_RUNS."""
        self._runs.append(run)
        self._typical.clear()

    def left_ms(self, step: int, total: int, elapsed_ms: float) -> float | None:
        """Milliseconds left, when `step` of `total` was shown `elapsed_ms` after the start; None without an estimate."""
        if not self._runs:
            return _by_pace(step, total, elapsed_ms)
        typical = self._typical_at(step)
        stretch = 1.0
        if typical.reached_ms >= SURE_AFTER_MS:
            stretch = min(max(elapsed_ms / typical.reached_ms, 1 / MAX_STRETCH), MAX_STRETCH)
        return typical.left_ms * stretch

    def _typical_at(self, step: int) -> _Typical:
        known = self._typical.get(step)
        if known is None:
            reached = [run.reached_ms(step) for run in self._runs]
            left = [run.took_ms - at for run, at in zip(self._runs, reached, strict=True)]
            known = _Typical(median(reached), median(left))
            if len(self._typical) < MAX_MARKS:
                self._typical[step] = known
        return known


def _by_pace(step: int, total: int, elapsed_ms: float) -> float | None:
    """A step is announced when it begins: at step 3 of 5 two are done and three are left."""
    return elapsed_ms / (step - 1) * (total - step + 1) if 1 < step <= total else None
