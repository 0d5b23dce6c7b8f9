"""Which other nodes live, as this one sees it: by signs of life that grow, in time by this node's own clock.

A node that is seen for the first time counts as alive. The clocks of two machines are never compared.
"""

from collections.abc import Iterable

from regserver.domain.instant import Duration
from regserver.ports.clock import Clock
from regserver.ports.node_table import NodeRun

DEAD_LEASES = 2


class NodeSight:
    """lease: of a node's name, see NodeLease. Whoever asks must ask several times in a lease."""

    def __init__(self, clock: Clock, lease: Duration) -> None:
        self._clock = clock
        self._dead_after = DEAD_LEASES * lease.seconds
        self._seen: dict[bytes, tuple[int, float]] = {}
        """Run → its signs of life, and since when there are so many."""

    def living(self, nodes: Iterable[NodeRun]) -> frozenset[bytes]:
        """The runs that live. nodes: all that are in the store now; who is not among them is dead."""
        now = self._clock.elapsed()
        seen = dict[bytes, tuple[int, float]]()
        for node in nodes:
            beats, since = self._seen.get(node.run, (-1, now))
            seen[node.run] = (node.beats, since if beats == node.beats else now)
        self._seen = seen
        return frozenset(run for run, (_, since) in seen.items() if now - since < self._dead_after)
