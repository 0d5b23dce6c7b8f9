"""How a pool behaves, and what it tells about itself."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PoolPolicy:
    """The bounds of a pool. Times are in seconds."""

    least: int = 2
    """Connections that are kept open."""
    most: int = 16
    """Connections that may be open."""
    most_waiting: int = 1000
    """Callers that may wait; a further one is refused with PoolFull."""
    patience: float = 5.0
    """How long a caller waits until PoolTimeout."""
    connect_within: float = 10.0
    """How long an attempt to connect may take."""
    check_after: float = 30.0
    """A connection that was idle for longer is asked whether it lives before it is lent."""
    check_within: float = 2.0
    """How long its answer may take."""
    max_life: float = 3600.0
    """A connection is replaced after this time, shortened by up to a tenth by chance."""
    max_idle: float = 300.0
    """A connection beyond `least` is closed when it was idle for longer."""
    first_pause: float = 0.1
    """The pause after a failure to connect. It doubles with each further one, and chance takes up to half of it away."""
    longest_pause: float = 10.0
    """The pause at most."""
    close_within: float = 5.0
    """How long the pool waits for lent connections when it closes; then it closes them."""

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most or self.most < 1 or self.most_waiting < 0:
            raise ValueError("a pool needs 0 <= least <= most, most >= 1, and most_waiting >= 0")

    def pause(self, failures: int, chance: float) -> float:
        """How long to wait after so many failures in a row. chance: a random number from 0 to 1."""
        longest = min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 30))
        return longest * (1 - chance / 2)

    def life(self, chance: float) -> float:
        """How long a connection lives. chance: a random number from 0 to 1."""
        return self.max_life * (1 - chance / 10)


@dataclass(frozen=True, kw_only=True)
class PoolStatistics:
    """A pool at one moment, and what it has counted since it was opened."""

    lent: int
    """Connections in use."""
    idle: int
    opening: int
    """Connections that are being made, or will be after a pause."""
    waiting: int
    """Callers that wait."""
    waited: int
    """Callers that had to wait."""
    waited_seconds: float
    """How long they waited, in sum."""
    refused: int
    """Callers that got PoolFull."""
    timed_out: int
    """Callers that got PoolTimeout."""
    opened: int
    """Connections that were made."""
    lost: int
    """Connections that were found broken, or not at rest when they came back."""
    failures: int
    """Attempts to connect that failed in a row; 0 when the last one succeeded."""
