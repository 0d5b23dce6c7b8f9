"""The name of a node, which one process has at a time, kept by signs of life in the store.

    take: nobody has it                          → it is ours
          somebody has it, and shows life        → refused
          somebody has it, and shows none so long → it is ours

A sign of life is a count that grows, and whoever asks waits for it: so the clocks of two machines are never compared.
"""

from contextlib import suppress

import msgspec
import trio

from regserver.domain.instant import Duration
from regserver.ports.clock import Clock
from regserver.ports.node_table import NodeRun
from regserver.ports.store import Store, StoreFault

BEATS = 5
"""Signs of life in the time of a lease: four may be lost."""
LOOK_SECONDS = 1.0
"""How often a process that waits looks for one, at least."""
LEAVE_SECONDS = 2.0


class NodePolicy(msgspec.Struct, frozen=True):
    """name: of the node. run: a number that this process has drawn. lease: how long the name is kept without a sign of life."""

    name: str
    run: bytes
    lease: Duration


class NodeLease:
    """Takes the name, and keeps it while `run` runs."""

    def __init__(self, store: Store, clock: Clock, policy: NodePolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy

    async def take(self) -> None:
        """Raises StoreFault if a process that lives has the name; that is known after a lease at the latest."""
        before = await self._find()
        if before is not None:
            before = await self._outlive(before)
        name, run, now = self._policy.name, self._policy.run, self._clock.now()
        if not await self._store.write(lambda transaction: transaction.nodes.take(name, run, before, now)):
            raise self._refusal()

    async def _find(self) -> NodeRun | None:
        return await self._store.read(lambda transaction: transaction.nodes.find(self._policy.name))

    async def _outlive(self, before: NodeRun) -> NodeRun | None:
        """Waits for a lease; returns what is still there. Raises StoreFault at the first sign of life."""
        ends = trio.current_time() + self._policy.lease.seconds
        while (left := ends - trio.current_time()) > 0:
            await trio.sleep(min(left, self._policy.lease.seconds / BEATS, LOOK_SECONDS))
            found = await self._find()
            if found is None:
                return None
            if (found.run, found.beats) != (before.run, before.beats):
                raise self._refusal()
        return before

    def _refusal(self) -> StoreFault:
        name = self._policy.name
        return StoreFault(f"a node named {name} runs already on this store: set node.name to another name")

    async def run(self) -> None:
        """Shows signs of life until cancelled. Raises StoreFault if another process has the name by now."""
        name, run = self._policy.name, self._policy.run
        while True:
            await trio.sleep(self._policy.lease.seconds / BEATS)
            now = self._clock.now()
            with suppress(StoreFault):  # whoever uses the store is told
                if not await self._store.write(lambda transaction: transaction.nodes.beat(name, run, now)):  # noqa: B023
                    break
        raise StoreFault(
            f"this node was silent for too long, and another one named {name} has begun: stopping"
        )

    async def leave(self) -> None:
        """Frees the name, if the store answers soon."""
        name, run = self._policy.name, self._policy.run
        with trio.move_on_after(LEAVE_SECONDS, shield=True), suppress(StoreFault):
            await self._store.write(lambda transaction: transaction.nodes.leave(name, run))
