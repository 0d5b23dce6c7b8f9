"""What one node does for all: the first of those that live, by name.

For a while two may hold themselves to be it, when one begins or dies: this is for work that may be done twice.
"""

from regserver.domain.instant import Duration
from regserver.ports.clock import Clock
from regserver.ports.store import Store
from regserver.service.node_sight import NodeSight


class NodeDuty:
    """run: of this process, and lease: of its node's name, see NodeLease."""

    def __init__(self, store: Store, clock: Clock, run: bytes, lease: Duration) -> None:
        self._store = store
        self._run = run
        self._sight = NodeSight(clock, lease)

    async def is_ours(self) -> bool:
        """Whether this node is the one. Raises StoreFault."""
        nodes = await self._store.look_up(lambda transaction: transaction.nodes.all())
        living = self._sight.living({node.run: node.beats for node in nodes})
        return next((node.run for node in nodes if node.run in living), None) == self._run
