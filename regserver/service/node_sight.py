"""Which other nodes live, as this one sees it: by signs of life that grow, in time by this node's own clock.

A node that is seen for the first time counts as alive. The clocks of two machines are never compared.
"""

from collections.abc import Mapping

from regserver.domain.instant import Duration
from regserver.ports.clock import Clock

DEAD_LEASES = 2


class NodeSight:
    """lease: of a node's name, see NodeLease. Whoever asks must ask several times in a lease."""

    def __init__(self, clock: Clock, lease: Duration) -> None:
        self._clock = clock
        self._dead_after = DEAD_LEASES * lease.seconds
        self._seen: dict[bytes, tuple[int, float]] = {}
        """Run → the number of its signs of life, and since when it has had that number."""

    def living(self, beats: Mapping[bytes, int]) -> frozenset[bytes]:
        """The runs that live. beats: how many signs of life each run has shown, as the store has it; who is not there is dead."""
        now = self._clock.elapsed()
        seen = dict[bytes, tuple[int, float]]()
        for run, count in beats.items():
            known, since = self._seen.get(run, (-1, now))
            seen[run] = (count, since if known == count else now)
        self._seen = seen
        return frozenset(run for run, (_, since) in seen.items() if now - since < self._dead_after)
