"""Who serves on the store."""

from typing import Protocol

import msgspec

from regserver.domain.instant import Instant


class NodeRun(msgspec.Struct, frozen=True):
    """One process that serves under a name. run: a number that it has drawn. beats: its signs of life; seen_at: the last."""

    name: str
    run: bytes
    beats: int
    seen_at: Instant


class NodeTable(Protocol):
    """The nodes that serve on the store, by name. One that ends by itself takes its row along."""

    async def all(self) -> tuple[NodeRun, ...]:
        """In the order of their names; a dead one stays until its name is taken again."""

    async def find(self, name: str) -> NodeRun | None:
        """The last run under this name, unless it has left."""

    async def take(self, name: str, run: bytes, before: NodeRun | None, now: Instant) -> bool:
        """Gives the name to a new run. before: the run that is replaced. Atomic.

        False if another run has the name, or if `before` has shown a sign of life since it was read.
        """

    async def beat(self, name: str, run: bytes, now: Instant) -> bool:
        """Shows a sign of life; False if the name is another run's by now."""

    async def leave(self, name: str, run: bytes) -> None:
        """Frees the name, if it is still this run's."""
