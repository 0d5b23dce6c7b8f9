"""How long things of one kind take: a histogram in plain numbers, which costs nothing to keep. Read from any thread."""

import bisect
import itertools
import operator

import msgspec

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The bounds of the classes, in seconds; one more has all that took longer."""


class Times(msgspec.Struct):
    """counts: by class. sum: of all, in seconds."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        """Counts one thing."""
        self.counts[bisect.bisect_left(SECONDS, seconds)] += 1
        self.sum += seconds

    def include(self, other: "Times") -> None:
        """Counts all things of another histogram too."""
        self.counts = [*map(operator.add, self.counts, other.counts)]
        self.sum += other.sum

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus wants them: for each bound in seconds, how many things took at most so long."""
        bounds = [*map(str, SECONDS), "+Inf"]
        return list(zip(bounds, itertools.accumulate(map(float, self.counts)), strict=True))
