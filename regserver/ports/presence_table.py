"""Who is present on which node, told by each node of itself."""

from collections.abc import Collection
from typing import Protocol

import msgspec

from regserver.domain.account import AccountId


class PresentRun(msgspec.Struct, frozen=True):
    """A node that has told. run, beats: see NodeRun. version: grows with each change of what it tells."""

    run: bytes
    beats: int
    version: int


class PresenceTable(Protocol):
    """A run is known by the number that its process has drawn."""

    async def tell(self, run: bytes, came: Collection[AccountId], went: Collection[AccountId]) -> None:
        """Changes what the run tells of itself (atomic)."""

    async def runs(self) -> tuple[PresentRun, ...]:
        """The runs that have told, and whose nodes have not left."""

    async def of_run(self, run: bytes) -> frozenset[AccountId]:
        """Who is present there."""

    async def sweep(self) -> None:
        """Removes what runs have told whose nodes have left, or have begun anew."""
