"""What both sides of the comparison share: how they are called, and what they print."""

import json
import sys
import time

import msgspec


class Load(msgspec.Struct, frozen=True):
    """place: of the database, as a URL. tasks: that post, one after the other each. pooled: connections of the pool."""

    place: str
    tasks: int
    pooled: int
    seconds: float
    joined: bool


def read_load() -> Load:
    """PLACE TASKS POOLED SECONDS [joined], from the command line."""
    place, tasks, pooled, seconds, *rest = sys.argv[1:]
    return Load(place, int(tasks), int(pooled), float(seconds), joined=rest == ["joined"])


class Count:
    """Posts within the time of a load, after a warm-up."""

    def __init__(self, load: Load) -> None:
        self._warm = time.perf_counter() + 0.3
        self._end = self._warm + load.seconds
        self._seconds = load.seconds
        self._used: float | None = None
        self.done = 0

    def goes_on(self) -> bool:
        """Called after each post."""
        now = time.perf_counter()
        if now >= self._warm:
            if self._used is None:
                self._used = time.process_time()
            self.done += 1
        return now < self._end

    def print(self) -> None:
        """One line of figures."""
        used = time.process_time() - (self._used or 0)
        print(json.dumps({"posts_s": self.done / self._seconds, "cpu_us": used / self.done * 1e6}))
